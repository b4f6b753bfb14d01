"""The backward part of a run: undo what may have happened, in reverse order (semantics: Compensation)."""

from typing import Any

from flow_operator.api.reasons import Reason
from flow_operator.api.status import CallStatus, CompensationPhase, Direction, ExecutionStatus, Phase, StepStatus
from flow_operator.engine.calls import finish, lose, park
from flow_operator.engine.compensation import given_up, members, planned, startable, undoable, undone
from flow_operator.engine.conditions import frozen
from flow_operator.engine.contract import Attempt, Postponed
from flow_operator.engine.planning_context import PlanningContext
from flow_operator.engine.sending import Begun, resend, send
from flow_operator.engine.state import awaiting_forward, in_flight, map_steps, undoing


def retreat(context: PlanningContext, status: ExecutionStatus) -> Begun:
    """One look at the run after its forward part: wait for calls in flight, then undo, then end."""
    status = _forget_lost(context, status)
    if not undoing(status):
        return _rest(context, status), ()
    status = _plan_undos(context, status)
    if frozen(status):
        return (status if _anything_left(context, status) else _end(context, status)), ()
    status, attempts = resend(context, status, Direction.UNDO)
    if awaiting_forward(status):
        return status, attempts
    status, begun = _begin(context, status)
    return (status if _anything_left(context, status) else _end(context, status)), attempts + begun


def park_failed_undos(status: ExecutionStatus) -> ExecutionStatus:
    """An undo that failed waits for a person, unless a person gave it up."""

    def parked(step: StepStatus) -> StepStatus:
        undo = step.compensation
        if undo is None or undo.phase is not Phase.FAILURE or undo.reason == Reason.COMPENSATION_GIVEN_UP:
            return step
        return step.model_copy(update={"compensation": park(undo, undo.reason, undo.message)})

    return map_steps(status, parked)


def _forget_lost(context: PlanningContext, status: ExecutionStatus) -> ExecutionStatus:
    """A forward attempt that was lost is not repeated now: its effect stays Unknown, and its undo covers it."""
    return map_steps(
        status,
        lambda step: (
            finish(
                lose(step, context.now), Phase.ABORTED, Reason.ATTEMPT_LOST, "its last attempt was lost", context.now
            )
            if _lost(context, step)
            else step
        ),
    )


def _lost(context: PlanningContext, call: CallStatus) -> bool:
    return in_flight(call) and call.attempt_id not in context.in_flight


def _rest(context: PlanningContext, status: ExecutionStatus) -> ExecutionStatus:
    """Nothing is to be undone: what is in flight is waited for, an undo that was begun is not tried again."""

    def rest(step: StepStatus) -> StepStatus:
        undo = step.compensation
        if undo is None or undone(step) or (in_flight(undo) and not _lost(context, undo)):
            return step
        return given_up(step, "this run is not undone, so the undo is not tried again", context.now)

    status = map_steps(status, rest)
    busy = any(call is not None and in_flight(call) for step in status.steps for call in (step, step.compensation))
    return status if busy else _end(context, status)


def _plan_undos(context: PlanningContext, status: ExecutionStatus) -> ExecutionStatus:
    """Every step that is to be undone says so, and the plan shows the order, before anything is undone."""

    def planned_undo(step: StepStatus) -> StepStatus:
        if step.compensation is not None or in_flight(step) or not undoable(context.definition, step):
            return step
        return step.model_copy(update={"compensation": CallStatus(phase=Phase.PENDING)})

    status = map_steps(status, planned_undo)
    begun = status.compensation is not None and status.compensation.start_time is not None
    return status if begun else planned(context.definition, status, context.run.uid, context.now)


def _begin(context: PlanningContext, status: ExecutionStatus) -> Begun:
    assert status.compensation is not None
    if status.compensation.start_time is None:
        compensation = status.compensation.model_copy(update={"start_time": context.now})
        status = status.model_copy(update={"compensation": compensation})
    attempts: tuple[Attempt | Postponed, ...] = ()
    for step in startable(context.definition, status):
        status, begun = send(context, status, step.id, Direction.UNDO)
        attempts += begun
    return status, attempts


def _anything_left(context: PlanningContext, status: ExecutionStatus) -> bool:
    return awaiting_forward(status) or not all(undone(step) for step in members(context.definition, status))


def _end(context: PlanningContext, status: ExecutionStatus) -> ExecutionStatus:
    """All is undone, or nothing is to be, or a person gave up."""
    compensation = status.compensation
    assert compensation is not None
    changes: dict[str, Any] = {}
    if undoing(status) and members(context.definition, status):
        started = compensation.start_time or context.now
        changes = {"phase": CompensationPhase.SUCCESS, "start_time": started, "completion_time": context.now}
    elif compensation.phase is not CompensationPhase.FAILURE:
        nothing = {"start_time": None, "completion_time": None, "plan": None, "plan_time": None}
        changes = {"phase": CompensationPhase.NOT_NEEDED, **nothing}
    compensation = compensation.model_copy(update=changes)
    return status.model_copy(update={"compensation": compensation, "completion_time": context.now})
