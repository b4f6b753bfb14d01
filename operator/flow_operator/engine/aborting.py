"""The verb `abort`: end the forward part, or give up the backward part (semantics: Verbs)."""

from pydantic import Field

from flow_operator.api.reasons import Reason
from flow_operator.api.status import CompensationPhase, Effect, ExecutionStatus, Phase, StepStatus
from flow_operator.engine.command_context import Args, CommandContext, CommandResult, Rejected, not_ended
from flow_operator.engine.compensation import given_up, members, undoable, undone
from flow_operator.engine.definitions.definition import Definition
from flow_operator.engine.forward import end_forward
from flow_operator.engine.starting import end_unstarted
from flow_operator.engine.state import forward_over, in_flight, map_steps, undoing


class AbortArgs(Args):
    """`compensate` defaults to what the workflow's compensation mode says."""

    compensate: bool | None = None
    reason: str = Field("", max_length=512)


def abort(context: CommandContext, status: ExecutionStatus, args: AbortArgs) -> CommandResult:
    """End the run at once; then undo, unless that is not wanted."""
    not_ended(status)
    message = f"aborted{context.by}" + (args.reason and f": {args.reason}")
    if status.start_time is None:
        status = context.released(status)
        ended = end_unstarted(context.run, status, Phase.ABORTED, Reason.ABORTED, message, context.now)
        return ended, "aborted before anything was called"
    definition = context.resolved()
    undo = definition.compensation_mode == "Auto" if args.compensate is None else args.compensate
    if forward_over(status):
        if undo or not undoing(status):
            raise Rejected(_why_not(status))
        return _give_up(context, definition, status, args.reason)
    return _abort(context, status, message, undo=undo)


def _abort(context: CommandContext, status: ExecutionStatus, message: str, *, undo: bool) -> CommandResult:
    status = context.released(status)
    opened = not undo and _undo_open(status)
    if opened:
        status = map_steps(status, lambda step: given_up(step, message, context.now) if step.compensation else step)
    status = end_forward(context.run, status, Phase.ABORTED, Reason.ABORTED, message, context.now, undo=undo)
    if opened:
        status = _over(context, status, CompensationPhase.FAILURE)
    if not undo:
        return status, f"aborted; {_left(status)}"
    return status, "aborted; what was done is undone" + (
        " once spec.suspend is false" if context.run.spec.suspend else ""
    )


def _give_up(context: CommandContext, definition: Definition, status: ExecutionStatus, reason: str) -> CommandResult:
    status = context.released(status)
    compensation = status.compensation
    assert compensation is not None
    if compensation.start_time is None and not _undo_open(status):
        return _over(context, map_steps(status, _unbegun), CompensationPhase.NOT_NEEDED), (
            f"nothing will be undone; {_left(status)}"
        )
    if all(undone(step) for step in members(definition, status)):
        raise Rejected("everything is undone already")
    why = f"given up{context.by}" + (reason and f": {reason}")
    status = map_steps(status, lambda step: given_up(step, why, context.now) if undoable(definition, step) else step)
    return _over(context, status, CompensationPhase.FAILURE), f"gave up undoing; {_left(status)}"


def _over(context: CommandContext, status: ExecutionStatus, phase: CompensationPhase) -> ExecutionStatus:
    """The backward part is over, because a person said so."""
    assert status.compensation is not None
    compensation = status.compensation.model_copy(update={"phase": phase, "completion_time": context.now})
    return status.model_copy(update={"compensation": compensation})


def _unbegun(step: StepStatus) -> StepStatus:
    return step if step.compensation is None or undone(step) else step.model_copy(update={"compensation": None})


def _undo_open(status: ExecutionStatus) -> bool:
    """Whether an undo has begun and has not succeeded."""
    undos = [step.compensation for step in status.steps if step.compensation is not None]
    return any(undo.phase not in (Phase.PENDING, Phase.SUCCESS) for undo in undos)


def _why_not(status: ExecutionStatus) -> str:
    if undoing(status):
        return "the run is being undone already; abort with compensate: false gives up"
    return "the run is over already, and ends when the calls in flight have been answered"


def _left(status: ExecutionStatus) -> str:
    """For people: what is not undone. What is in flight may still be done."""
    left = [step.id for step in status.steps if step.effect is not Effect.NONE and not undone(step)]
    flying = [step.id for step in status.steps if in_flight(step) and step.id not in left]
    said = f"left applied: {', '.join(left)}" if left else "nothing is left applied"
    return said + (f"; still in flight: {', '.join(flying)}" if flying else "")
