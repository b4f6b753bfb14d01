"""The services that the order saga calls: small, honest, and able to misbehave when told to.

Each is a process of its own (`python -m examples.order.services payments`) with a journal that is fsynced before it
answers. `OrderServices` starts them all, tells them how to behave, and reads their journals.
"""

from examples.order.services.behaviour import Behaviour, Mode
from examples.order.services.catalog import SERVICES
from examples.order.services.journal import Did, Entry, Sent
from examples.order.services.launcher import OrderServices
from examples.order.services.process import PortTakenError, ServiceProcess

__all__ = ["SERVICES", "Behaviour", "Did", "Entry", "Mode", "OrderServices", "PortTakenError", "Sent", "ServiceProcess"]
