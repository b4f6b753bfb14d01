"""How far one request got on its way: what tells "nothing was sent" from "nobody knows"."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from flow_operator.adapters.egress import Denial


@dataclass(slots=True)
class Progress:
    """How far one request got; filled in by the session while it is under way, read by who sent it."""

    may_send: Callable[[], bool] = lambda: True
    """Asked right before the first byte is written."""
    namespace: str = ""
    """The namespace of the run whose call it is: look-ups are shared fairly between namespaces."""
    denied: Denial | None = None
    """The last address of the host that the guard refused."""
    dialled: bool = False
    """A connection to at least one allowed address was tried."""
    sent: bool = False
    """The request was about to be written: from here on nobody knows what the service got."""


progress: ContextVar[Progress] = ContextVar("progress")
"""The progress of the request that the current task sends; set it before `session.request()`."""
