"""When clocks run out (semantics: Retry and time). Each stands still for the seconds that a suspension counted."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from flow_operator.api.duration import seconds
from flow_operator.api.status import ExecutionStatus, Phase, StepStatus
from flow_operator.engine.conditions import frozen, is_true
from flow_operator.engine.contract import CallId
from flow_operator.engine.definitions.definition import Definition
from flow_operator.engine.state import calls, forward_over


def step_deadline(definition: Definition, step: StepStatus) -> datetime | None:
    """When timeout.total of a running step passes; None when it has none."""
    total = definition.by_id[step.id].total_timeout
    if total is None or step.phase is not Phase.RUNNING or step.start_time is None:
        return None
    return step.start_time + timedelta(seconds=seconds(total) + step.suspended_seconds)


def run_deadline(definition: Definition, status: ExecutionStatus) -> datetime | None:
    """When timeout.run passes; None when there is none, or its clock stands still."""
    if definition.run_timeout is None or status.start_time is None or is_true(status.conditions, "Suspended"):
        return None
    return status.start_time + timedelta(seconds=seconds(definition.run_timeout) + status.suspended_seconds)


def wake_at(definition: Definition, status: ExecutionStatus, blocked: Collection[CallId]) -> datetime | None:
    """When the run must be looked at again although nothing happened; None: never. No clock wakes what is blocked."""
    if status.completion_time is not None or status.start_time is None or frozen(status):
        return None
    return min(_moments(definition, status, blocked), default=None)


def _moments(definition: Definition, status: ExecutionStatus, blocked: Collection[CallId]) -> Iterator[datetime]:
    for id, direction, call in calls(status):
        if call.phase is Phase.RUNNING and call.next_attempt_time is not None and (id, direction) not in blocked:
            yield call.next_attempt_time
    if forward_over(status):
        return
    ends = [run_deadline(definition, status), *(step_deadline(definition, step) for step in status.steps)]
    yield from (moment for moment in ends if moment is not None)
