"""What a status says of the run as a whole, derived from its steps: phase, reason, progress, suspension."""

from datetime import datetime

from flow_operator.api.duration import written
from flow_operator.api.reasons import Reason
from flow_operator.api.status import CompensationPhase, ExecutionStatus, Phase
from flow_operator.engine.conditions import find, frozen, with_conditions
from flow_operator.engine.contract import Run, Unresolved
from flow_operator.engine.definition import Definition
from flow_operator.engine.forward import saved
from flow_operator.engine.size import size_of
from flow_operator.engine.state import calls, undoing
from flow_operator.engine.suspension import release, suspend, suspended_by


def settle(run: Run, definition: Definition | Unresolved, status: ExecutionStatus, now: datetime) -> ExecutionStatus:
    """The status with all that can be derived derived again."""
    if status.completion_time is not None:
        status = _ended(release(status, run.generation, now))
    elif frozen(status):
        status = _frozen(status)
    elif status.start_time is not None:
        status = (
            _lost_definition(status, definition) if isinstance(definition, Unresolved) else _going(run, status, now)
        )
    status = status.model_copy(update={"progress": _progress(status)})
    return with_conditions(status, run.generation, size_of(run, status), now)


def _ended(status: ExecutionStatus) -> ExecutionStatus:
    status = _decided(status)
    if status.start_time is None or status.completion_time is None:
        return status
    return status.model_copy(
        update={"duration": written(round((status.completion_time - status.start_time).total_seconds(), 3))}
    )


def _frozen(status: ExecutionStatus) -> ExecutionStatus:
    suspended = find(status.conditions, "Suspended")
    assert suspended is not None
    status = status.model_copy(
        update={"phase": Phase.SUSPEND, "reason": suspended.reason, "message": suspended.message}
    )
    return _in_compensation_phase(status, CompensationPhase.SUSPEND) if undoing(status) else status


def _going(run: Run, status: ExecutionStatus, now: datetime) -> ExecutionStatus:
    """A run that nobody holds: it waits for a person if one of its calls does, else it is in its phase."""
    waiting = [(id, call) for id, _, call in calls(status) if call.phase is Phase.SUSPEND]
    if not waiting:
        return _decided(release(status, run.generation, now))
    parked = any(step.compensation and step.compensation.phase is Phase.SUSPEND for step in status.steps)
    reason = Reason.COMPENSATION_PARKED if parked else Reason.REQUEST_CHANGED
    message = "; ".join(f"{id}: {call.reason}: {call.message}" for id, call in waiting)
    if suspended_by(status) != reason:
        status = suspend(status, reason, message, run.generation, now)
    return status.model_copy(update={"phase": Phase.SUSPEND, "reason": reason, "message": message})


def _decided(status: ExecutionStatus) -> ExecutionStatus:
    """The phase that the run has come to, with the reason that decided it."""
    succeeded = find(status.conditions, "Succeeded")
    if status.compensation is None or succeeded is None or succeeded.status == "Unknown":
        return status.model_copy(update={"phase": Phase.RUNNING, "reason": Reason.RUNNING, "message": None})
    trigger = status.compensation.trigger
    phase = Phase(trigger) if trigger else status.phase
    return status.model_copy(update={"phase": phase, "reason": succeeded.reason, "message": succeeded.message or None})


def _lost_definition(status: ExecutionStatus, definition: Unresolved) -> ExecutionStatus:
    return status.model_copy(update={"reason": definition.reason, "message": definition.message})


def _in_compensation_phase(status: ExecutionStatus, phase: CompensationPhase) -> ExecutionStatus:
    assert status.compensation is not None
    return status.model_copy(update={"compensation": status.compensation.model_copy(update={"phase": phase})})


def _progress(status: ExecutionStatus) -> str | None:
    if not status.steps:
        return None
    return f"{sum(saved(status, step) for step in status.steps)}/{len(status.steps)}"
