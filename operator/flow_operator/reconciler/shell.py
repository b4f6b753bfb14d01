"""What all actors share: the core, the ports, and the limits."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from flow_operator.engine.contract import Unresolved
from flow_operator.engine.definition import Definition
from flow_operator.reconciler.ports import Caller, Cluster, Meter, Now, Planner, Recorder, Registrar
from flow_operator.reconciler.revisions import Revisions

WRITES_IN_FLIGHT = 16
"""More only add latency: the API server is the limit."""


class Lookup(Protocol):
    """The definition that a run started now would be pinned to."""

    def __call__(self, namespace: str, workflow: str) -> Definition | Unresolved:
        """That, or why there is none."""
        ...


@dataclass(slots=True)
class Shell:
    """The core and the world, as an actor sees them."""

    plan: Planner
    record: Registrar
    cluster: Cluster
    caller: Caller
    lookup: Lookup
    revisions: Revisions
    meter: Meter
    recorder: Recorder
    now: Now
    may_act: Callable[[], bool]
    """Whether this process holds the lease, asked right before anything is sent."""
    service_url: str
    draining: bool = False
    """No new attempt; what is in flight is stored when it ends."""
    writes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WRITES_IN_FLIGHT))
