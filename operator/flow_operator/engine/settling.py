"""What a status says of the run as a whole, derived from its steps: phase, reason, progress, suspension."""

from datetime import datetime

from flow_operator.api.duration import written
from flow_operator.api.reasons import Reason
from flow_operator.api.status import CompensationPhase, ExecutionStatus, Phase
from flow_operator.engine.compensation import planned
from flow_operator.engine.conditions import find, frozen, why_waiting, with_conditions
from flow_operator.engine.contract import Run
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.forward import satisfies_dependents
from flow_operator.engine.messages.limits import LARGE_STATUS_BYTES
from flow_operator.engine.size import size_of, slim
from flow_operator.engine.state import awaiting_forward, forward_over, parked, undoing, updated
from flow_operator.engine.suspension import release, suspend


def settle(run: Run, definition: Definition | Unresolved, status: ExecutionStatus, now: datetime) -> ExecutionStatus:
    """The status with all that can be derived derived again."""
    if status.completion_time is not None:
        status = _ended(release(status, run.generation, now))
    elif frozen(status):
        status = _frozen(status)
    elif status.start_time is not None:
        status = _going(run, status, now)
        if isinstance(definition, Unresolved):
            status = updated(status, reason=definition.reason, message=definition.message)
    if isinstance(definition, Definition) and not forward_over(status):
        status = _with_foreseen_undo(run, definition, status, now)
    status = updated(status, progress=_progress(status))
    size = size_of(run, status)
    if size > LARGE_STATUS_BYTES:
        status = slim(status)
        size = size_of(run, status)
    return with_conditions(status, run.generation, size, now)


def _ended(status: ExecutionStatus) -> ExecutionStatus:
    status = _decided(status)
    if status.start_time is None or status.completion_time is None:
        return status
    length = max(0.0, (status.completion_time - status.start_time).total_seconds())
    return updated(status, duration=written(length))


def _frozen(status: ExecutionStatus) -> ExecutionStatus:
    suspended = find(status.conditions, "Suspended")
    assert suspended is not None
    return _with_compensation_phase(
        updated(status, phase=Phase.SUSPEND, reason=suspended.reason, message=suspended.message)
    )


def _going(run: Run, status: ExecutionStatus, now: datetime) -> ExecutionStatus:
    """A run that nobody holds: it waits for a person if one of its calls does, else it is in its phase."""
    status = _with_compensation_phase(status)
    waiting = why_waiting(status)
    if waiting is None:
        return _decided(release(status, run.generation, now))
    reason, message = waiting
    status = suspend(status, reason, message, run.generation, now)
    return updated(status, phase=Phase.SUSPEND, reason=reason, message=message)


def _decided(status: ExecutionStatus) -> ExecutionStatus:
    """The phase that the run has come to, with the reason that decided it."""
    succeeded = find(status.conditions, "Succeeded")
    if status.compensation is None or succeeded is None or succeeded.status == "Unknown":
        return updated(status, phase=Phase.RUNNING, reason=Reason.RUNNING, message=None)
    trigger = status.compensation.trigger
    phase = Phase(trigger) if trigger else status.phase
    return updated(status, phase=phase, reason=succeeded.reason, message=succeeded.message or None)


def _with_compensation_phase(status: ExecutionStatus) -> ExecutionStatus:
    """The backward part waits for a person, or for forward calls in flight, or it runs."""
    if status.compensation is None or not undoing(status):
        return status
    if frozen(status) or parked(status):
        phase = CompensationPhase.SUSPEND
    elif awaiting_forward(status):
        phase = CompensationPhase.PENDING
    else:
        phase = CompensationPhase.RUNNING
    return updated(status, compensation=updated(status.compensation, phase=phase))


def _with_foreseen_undo(run: Run, definition: Definition, status: ExecutionStatus, now: datetime) -> ExecutionStatus:
    """While a run that goes forward is suspended people see what would be undone."""
    if status.phase is Phase.SUSPEND and status.start_time is not None:
        status = planned(definition, status, run.uid, now)
    if status.compensation is None or (status.phase is Phase.SUSPEND and status.compensation.plan):
        return status
    return status.model_copy(update={"compensation": None})


def _progress(status: ExecutionStatus) -> str | None:
    if not status.steps:
        return None
    return f"{sum(satisfies_dependents(status, step) for step in status.steps)}/{len(status.steps)}"
