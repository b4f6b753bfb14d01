"""What an answer made of a run."""

from datetime import datetime

from flow_operator.api.status import ExecutionStatus
from flow_operator.engine.contract import Outcome, Run
from flow_operator.engine.definition import Definition


def record(
    run: Run, definition: Definition, status: ExecutionStatus, outcome: Outcome, now: datetime
) -> ExecutionStatus:
    """The status with this outcome in it; unchanged when the attempt is already closed."""
    raise NotImplementedError
