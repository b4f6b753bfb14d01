"""What to do next in a run."""

from collections.abc import Set
from datetime import datetime

from flow_operator.api.status import ExecutionStatus
from flow_operator.engine.contract import Plan, Run, Unresolved
from flow_operator.engine.definition import Definition


def plan(
    run: Run,
    definition: Definition | Unresolved,
    status: ExecutionStatus,
    in_flight: Set[str],
    now: datetime,
    nonce: str,
    service_url: str,
) -> Plan:
    """What to remember and then to do."""
    raise NotImplementedError
