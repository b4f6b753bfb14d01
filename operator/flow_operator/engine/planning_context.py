"""What a plan is made from, besides the status that it changes."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime

from flow_operator.api.status import ExecutionStatus
from flow_operator.engine.contract import Blocked, CallId, Run
from flow_operator.engine.definitions.definition import Definition
from flow_operator.engine.snapshot import Loaded, Snapshot


@dataclass(frozen=True, slots=True)
class PlanningContext:
    """One planning of one run."""

    run: Run
    definition: Definition
    in_flight: Set[str]
    now: datetime
    nonce: str
    service_url: str
    blocked: Mapping[CallId, Blocked]
    """Calls that may not be sent now."""
    loaded: Loaded = field(default_factory=Loaded, repr=False)

    def snapshot(self, status: ExecutionStatus) -> Snapshot:
        """The run as this status has it."""
        return Snapshot(self.run, self.definition, status, self.loaded)
