"""Conditions of a run, computed from its status (semantics: Status).

`Ended` is True with completionTime, whatever the outcome. `Succeeded` keeps the reason that decided the run, whatever
the phase does later. `Reconciling` and `Stalled` have kstatus' meaning: progress is being made; a person is needed, or
the run ended without success.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from flow_operator.api.reasons import Reason
from flow_operator.api.status import CompensationPhase, Condition, ExecutionStatus, Phase
from flow_operator.engine.messages.limits import LARGE_STATUS_BYTES
from flow_operator.engine.size import brief
from flow_operator.engine.state import calls, parked, undoing, updated

Truth = Literal["True", "False", "Unknown"]
DEFINITION_REASONS = frozenset(
    {
        Reason.WORKFLOW_NOT_FOUND,
        Reason.WORKFLOW_NOT_READY,
        Reason.STEP_NOT_FOUND,
        Reason.STEP_NOT_READY,
        Reason.REVISION_NOT_FOUND,
    }
)
"""Why a run waits for its definition."""
FROZEN_REASONS = frozenset({Reason.SUSPENDED_BY_COMMAND, Reason.SUSPENDED_BY_SPEC})


def find(conditions: Iterable[Condition], type: str) -> Condition | None:
    """The condition of this type."""
    return next((each for each in conditions if each.type == type), None)


def is_true(conditions: Iterable[Condition], type: str) -> bool:
    """Whether the condition of this type is True."""
    found = find(conditions, type)
    return found is not None and found.status == "True"


def put(
    conditions: Iterable[Condition],
    type: str,
    status: Truth,
    reason: str,
    message: str,
    generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    """The conditions with this one in it; its transition time moves only when its status does."""
    before = tuple(conditions)
    old = find(before, type)
    said = status, reason, message, generation
    if old is not None and (old.status, old.reason, old.message, old.observed_generation) == said:
        return before
    new = Condition(
        type=type,
        status=status,
        observed_generation=generation,
        last_transition_time=old.last_transition_time if old and old.status == status else now,
        reason=reason,
        message=message,
    )
    if old is None:
        return (*before, new)
    return tuple(new if each.type == type else each for each in before)


def frozen(status: ExecutionStatus) -> bool:
    """Whether a person, or `spec.suspend`, holds the whole run."""
    suspended = find(status.conditions, "Suspended")
    return suspended is not None and suspended.status == "True" and suspended.reason in FROZEN_REASONS


def with_conditions(status: ExecutionStatus, generation: int, size: int, now: datetime) -> ExecutionStatus:
    """The status with every condition but `Suspended`, which suspension.py keeps."""
    conditions, stuck = status.conditions, _needs_person(status)
    rows = (
        _ended(status),
        _succeeded(status),
        _reconciling(status, stuck=stuck),
        _stalled(status, stuck=stuck),
        *_undone(status),
    )
    for type, truth, reason, message in rows:
        conditions = put(conditions, type, truth, reason, message, generation, now)
    suspended = find(conditions, "Suspended")
    if suspended is not None:
        conditions = put(
            conditions, "Suspended", suspended.status, suspended.reason, suspended.message, generation, now
        )
    if size > LARGE_STATUS_BYTES:
        message = f"the object has more than {LARGE_STATUS_BYTES // 1024} KiB: each write of it is slow"
        conditions = put(conditions, "LargeStatus", "True", "LargeStatus", message, generation, now)
    elif find(conditions, "LargeStatus") is not None:
        conditions = put(conditions, "LargeStatus", "False", "LargeStatus", "", generation, now)
    return updated(status, conditions=conditions, observed_generation=generation)


Row = tuple[str, Truth, str, str]


def decide(
    status: ExecutionStatus, phase: Phase, reason: Reason | str, message: str, generation: int, now: datetime
) -> ExecutionStatus:
    """The run has come to Success, Failure or Aborted: Succeeded says so from here on, whatever the phase does."""
    truth: Truth = "True" if phase is Phase.SUCCESS else "False"
    message = brief(message)
    conditions = put(status.conditions, "Succeeded", truth, reason, message, generation, now)
    return status.model_copy(update={"phase": phase, "reason": reason, "message": message, "conditions": conditions})


def _ended(status: ExecutionStatus) -> Row:
    """True with completionTime, whatever the outcome: the one condition to wait for when any end will do."""
    reason = status.reason or status.phase.value
    if status.completion_time is None:
        return "Ended", "False", reason, ""
    return "Ended", "True", reason, status.message or ""


def _succeeded(status: ExecutionStatus) -> Row:
    old = find(status.conditions, "Succeeded")
    if old is not None and old.status != "Unknown":
        return "Succeeded", old.status, old.reason, old.message
    return "Succeeded", "Unknown", status.reason or status.phase.value, status.message or ""


def why_waiting(status: ExecutionStatus) -> tuple[Reason, str] | None:
    """Why a person is needed: calls that wait for one; None when there are none."""
    waiting = [(id, call) for id, _, call in calls(status) if call.phase is Phase.SUSPEND]
    if not waiting:
        return None
    reason = Reason.COMPENSATION_PARKED if parked(status) else Reason.REQUEST_CHANGED
    return reason, brief("; ".join(f"{id}: {call.reason}: {call.message}" for id, call in waiting))


def _needs_person(status: ExecutionStatus) -> bool:
    return status.reason in DEFINITION_REASONS or why_waiting(status) is not None


def _ended_badly(status: ExecutionStatus) -> bool:
    return status.completion_time is not None and status.phase is not Phase.SUCCESS


def _reconciling(status: ExecutionStatus, *, stuck: bool) -> Row:
    reason = status.reason or status.phase.value
    if status.completion_time is not None or stuck:
        return "Reconciling", "False", reason, ""
    return "Reconciling", "True", reason, ""


def _stalled(status: ExecutionStatus, *, stuck: bool) -> Row:
    reason = status.reason or status.phase.value
    if stuck and frozen(status) and (waiting := why_waiting(status)):
        return "Stalled", "True", *waiting
    if stuck or _ended_badly(status):
        return "Stalled", "True", reason, status.message or ""
    return "Stalled", "False", reason, ""


def _undone(status: ExecutionStatus) -> Iterable[Row]:
    """Compensated and CompensationFailed, from the first undo on."""
    undos = [(step.id, step.compensation) for step in status.steps if step.compensation is not None]
    if all(undo.phase is Phase.PENDING for _, undo in undos):
        return
    unwanted = status.compensation is not None and status.compensation.phase is CompensationPhase.NOT_NEEDED
    unwanted = unwanted and status.phase is not Phase.SUCCESS
    done = all(undo.phase is Phase.SUCCESS for _, undo in undos) and not undoing(status) and not unwanted
    waiting = [f"{id} ({undo.reason})" for id, undo in undos if undo.phase is Phase.SUSPEND]
    given_up = [id for id, undo in undos if undo.phase is Phase.FAILURE]
    if waiting:
        reason, message = Reason.COMPENSATION_PARKED, f"not undone: {', '.join(waiting)}"
    elif given_up:
        reason, message = Reason.COMPENSATION_GIVEN_UP, f"not undone: {', '.join(given_up)}"
    elif unwanted:
        reason, message = Reason.NOT_COMPENSATED, ""
    else:
        reason, message = Reason.COMPENSATED if done else Reason.COMPENSATING, ""
    yield "Compensated", "True" if done else "False", reason, ""
    yield "CompensationFailed", "True" if waiting or given_up else "False", reason, brief(message)
