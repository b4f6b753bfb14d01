"""The backward part of a run: undo what may have happened, in reverse order (semantics: Compensation)."""

from typing import Any

from flow_operator.api.reasons import Reason
from flow_operator.api.status import CallStatus, CompensationPhase, Direction, ExecutionStatus, Phase, StepStatus
from flow_operator.engine.calls import finish, lose, park
from flow_operator.engine.compensation import given_up, members, planned, startable, undoable, undone
from flow_operator.engine.conditions import frozen
from flow_operator.engine.contract import Attempt, Postponed
from flow_operator.engine.moment import Moment
from flow_operator.engine.sending import Begun, resend, send
from flow_operator.engine.state import awaiting_forward, in_flight, map_steps, undoing


def retreat(moment: Moment, status: ExecutionStatus) -> Begun:
    """One look at the run after its forward part: wait for calls in flight, then undo, then end."""
    status = _forget_lost(moment, status)
    if not undoing(status):
        return _rest(moment, status), ()
    status = _foreseen(moment, status)
    if frozen(status):
        return (status if _anything_left(moment, status) else _end(moment, status)), ()
    status, attempts = resend(moment, status, Direction.UNDO)
    if awaiting_forward(status):
        return status, attempts
    status, begun = _begin(moment, status)
    return (status if _anything_left(moment, status) else _end(moment, status)), attempts + begun


def park_failed_undos(status: ExecutionStatus) -> ExecutionStatus:
    """An undo that failed waits for a person, unless a person gave it up."""

    def parked(step: StepStatus) -> StepStatus:
        undo = step.compensation
        if undo is None or undo.phase is not Phase.FAILURE or undo.reason == Reason.COMPENSATION_GIVEN_UP:
            return step
        return step.model_copy(update={"compensation": park(undo, undo.reason, undo.message)})

    return map_steps(status, parked)


def _forget_lost(moment: Moment, status: ExecutionStatus) -> ExecutionStatus:
    """A forward attempt that was lost is not repeated now: its effect stays Unknown, and its undo covers it."""
    return map_steps(
        status,
        lambda step: (
            finish(lose(step, moment.now), Phase.ABORTED, Reason.ATTEMPT_LOST, "its last attempt was lost", moment.now)
            if _lost(moment, step)
            else step
        ),
    )


def _lost(moment: Moment, call: CallStatus) -> bool:
    return in_flight(call) and call.attempt_id not in moment.in_flight


def _rest(moment: Moment, status: ExecutionStatus) -> ExecutionStatus:
    """Nothing is to be undone: what is in flight is waited for, an undo that was begun is not tried again."""

    def rest(step: StepStatus) -> StepStatus:
        undo = step.compensation
        if undo is None or undone(step) or (in_flight(undo) and not _lost(moment, undo)):
            return step
        return given_up(step, "this run is not undone, so the undo is not tried again", moment.now)

    status = map_steps(status, rest)
    busy = any(call is not None and in_flight(call) for step in status.steps for call in (step, step.compensation))
    return status if busy else _end(moment, status)


def _foreseen(moment: Moment, status: ExecutionStatus) -> ExecutionStatus:
    """Every step that is to be undone says so, and the plan shows the order, before anything is undone."""

    def foreseen(step: StepStatus) -> StepStatus:
        if step.compensation is not None or in_flight(step) or not undoable(moment.definition, step):
            return step
        return step.model_copy(update={"compensation": CallStatus(phase=Phase.PENDING)})

    status = map_steps(status, foreseen)
    begun = status.compensation is not None and status.compensation.start_time is not None
    return status if begun else planned(moment.definition, status, moment.run.uid, moment.now)


def _begin(moment: Moment, status: ExecutionStatus) -> Begun:
    assert status.compensation is not None
    if status.compensation.start_time is None:
        compensation = status.compensation.model_copy(update={"start_time": moment.now})
        status = status.model_copy(update={"compensation": compensation})
    attempts: tuple[Attempt | Postponed, ...] = ()
    for step in startable(moment.definition, status):
        status, begun = send(moment, status, step.id, Direction.UNDO)
        attempts += begun
    return status, attempts


def _anything_left(moment: Moment, status: ExecutionStatus) -> bool:
    return awaiting_forward(status) or not all(undone(step) for step in members(moment.definition, status))


def _end(moment: Moment, status: ExecutionStatus) -> ExecutionStatus:
    """All is undone, or nothing is to be, or a person gave up."""
    compensation = status.compensation
    assert compensation is not None
    changes: dict[str, Any] = {}
    if undoing(status) and members(moment.definition, status):
        started = compensation.start_time or moment.now
        changes = {"phase": CompensationPhase.SUCCESS, "start_time": started, "completion_time": moment.now}
    elif compensation.phase is not CompensationPhase.FAILURE:
        nothing = {"start_time": None, "completion_time": None, "plan": None, "plan_time": None}
        changes = {"phase": CompensationPhase.NOT_NEEDED, **nothing}
    compensation = compensation.model_copy(update=changes)
    return status.model_copy(update={"compensation": compensation, "completion_time": moment.now})
