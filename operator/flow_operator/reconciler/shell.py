"""What all actors share: the core, the ports, and the limits."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Protocol

from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.errors import ClusterError
from flow_operator.reconciler.notices import Notices
from flow_operator.reconciler.ports import Caller, Cluster, Meter, Now, Planner, Recorder, Registrar, Slots, Tracer
from flow_operator.reconciler.revisions import Revisions
from flow_operator.reconciler.shards import Shards
from flow_operator.reconciler.write_slots import WriteSlots

log = logging.getLogger(__name__)

WRITES_IN_FLIGHT = 32
"""As many as keep an API server busy that has cores of its own; with more, each only takes longer."""
COMPLAIN_SECONDS = 10.0


class Lookup(Protocol):
    """The definition that a run started now would be pinned to."""

    def __call__(self, namespace: str, workflow: str) -> Definition | Unresolved:
        """That, or why there is none."""
        ...


class Complaints:
    """Says that the API server does not do its part, and no oftener than every ten seconds for all runs together."""

    def __init__(self) -> None:
        self._silent_until = float("-inf")

    def hear(self, run: tuple[str, str], error: ClusterError) -> None:
        """A run has to wait because of this."""
        now = asyncio.get_running_loop().time()
        if now >= self._silent_until:
            self._silent_until = now + COMPLAIN_SECONDS
            log.warning("run %s/%s waits for the API server: %s", *run, error)


@dataclass(slots=True)
class Shell:
    """The core and the world, as an actor sees them."""

    plan: Planner
    record: Registrar
    cluster: Cluster
    caller: Caller
    slots: Slots
    lookup: Lookup
    revisions: Revisions
    meter: Meter
    recorder: Recorder
    tracer: Tracer
    now: Now
    shards: Shards
    service_url: str
    notices: Notices = field(default_factory=Notices)
    complaints: Complaints = field(default_factory=Complaints)
    writes: WriteSlots = field(default_factory=lambda: WriteSlots(WRITES_IN_FLIGHT))
