"""How the operator is started: environment variables and flags of the same name → one frozen `Settings`.

`FLOW_HTTP_LISTEN` and `--http-listen` are the same setting, and the flag wins. `model` has them all, `values` says what
a value may be, `reading` reads them.
"""

from flow_operator.settings.model import Settings
from flow_operator.settings.reading import InvalidSetting, load
from flow_operator.settings.values import Listen

__all__ = ["InvalidSetting", "Listen", "Settings", "load"]
