"""The backward part of a run: undo what may have happened, in reverse order (semantics: Compensation)."""

from flow_operator.api.reasons import Reason
from flow_operator.api.status import CompensationPhase, Direction, ExecutionStatus, Phase
from flow_operator.engine.calls import cut
from flow_operator.engine.compensation import members, plan_of, startable, undone
from flow_operator.engine.contract import Attempt
from flow_operator.engine.moment import Moment
from flow_operator.engine.sending import Begun, resend, send
from flow_operator.engine.state import awaiting_forward, in_flight, map_steps, undoing


def retreat(moment: Moment, status: ExecutionStatus) -> Begun:
    """One look at the run after its forward part: wait for calls in flight, then undo, then end."""
    status = _forget_lost(moment, status)
    if not undoing(status):
        return (status if awaiting_forward(status) else _end(moment, status)), ()
    status, attempts = resend(moment, status, Direction.UNDO)
    if awaiting_forward(status):
        return planned(moment, status), attempts
    if status.compensation is not None and status.compensation.phase is CompensationPhase.PENDING:
        status = planned(moment, status)
    status, begun = _begin(moment, status)
    return _conclude(moment, status), attempts + begun


def _forget_lost(moment: Moment, status: ExecutionStatus) -> ExecutionStatus:
    """A forward attempt that was lost is not repeated now: its effect stays Unknown, and its undo covers it."""
    return map_steps(
        status,
        lambda step: (
            cut(step, Phase.ABORTED, Reason.ATTEMPT_LOST, "the attempt in flight was lost", moment.now)
            if in_flight(step) and step.attempt_id not in moment.in_flight
            else step
        ),
    )


def _begin(moment: Moment, status: ExecutionStatus) -> Begun:
    attempts: tuple[Attempt, ...] = ()
    for step in startable(moment.definition, status):
        status, begun = send(moment, status, step.id, Direction.UNDO)
        attempts += begun
    return status, attempts


def _conclude(moment: Moment, status: ExecutionStatus) -> ExecutionStatus:
    steps = members(moment.definition, status)
    if all(undone(step) for step in steps):
        return _end(moment, status)
    parked = any(step.compensation is not None and step.compensation.phase is Phase.SUSPEND for step in steps)
    return in_phase(status, CompensationPhase.SUSPEND if parked else CompensationPhase.RUNNING, moment)


def in_phase(status: ExecutionStatus, phase: CompensationPhase, moment: Moment) -> ExecutionStatus:
    """The backward part in this phase."""
    assert status.compensation is not None
    started = status.compensation.start_time or moment.now
    compensation = status.compensation.model_copy(update={"phase": phase, "start_time": started})
    return status.model_copy(update={"compensation": compensation})


def planned(moment: Moment, status: ExecutionStatus) -> ExecutionStatus:
    """The undo calls to come, for people to see before any is made."""
    assert status.compensation is not None
    plan = plan_of(moment.definition, status, moment.run.uid)
    if plan == status.compensation.plan:
        return status
    compensation = status.compensation.model_copy(update={"plan": plan, "plan_time": moment.now})
    return status.model_copy(update={"compensation": compensation})


def _end(moment: Moment, status: ExecutionStatus) -> ExecutionStatus:
    """All is undone, or nothing is to be."""
    assert status.compensation is not None
    needed = status.compensation.phase is not CompensationPhase.NOT_NEEDED and bool(members(moment.definition, status))
    if needed:
        changes = {
            "phase": CompensationPhase.SUCCESS,
            "start_time": status.compensation.start_time or moment.now,
            "completion_time": moment.now,
        }
    else:
        changes = {"phase": CompensationPhase.NOT_NEEDED, "plan": None, "plan_time": None}
    compensation = status.compensation.model_copy(update=changes)
    return status.model_copy(update={"compensation": compensation, "completion_time": moment.now})
