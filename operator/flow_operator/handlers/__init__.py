"""Everything that knows of kopf: its bindings, its settings, and who starts it again when it ends.

kopf watches; it writes nothing and decides nothing.
"""

from flow_operator.handlers.bindings import Login, Observe, bind
from flow_operator.handlers.supervisor import Supervisor

__all__ = ["Login", "Observe", "Supervisor", "bind"]
