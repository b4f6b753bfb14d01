"""What each verb does. Every function takes the order and the status, and returns the new status and what to say."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from flow_operator.api.reasons import Reason
from flow_operator.api.status import (
    CallStatus,
    CompensationPhase,
    Direction,
    ExecutionStatus,
    Payload,
    Phase,
    StepStatus,
)
from flow_operator.engine.calls import again, cut, finish
from flow_operator.engine.compensation import members, undone
from flow_operator.engine.contract import Command, Run, Unresolved
from flow_operator.engine.definition import Definition
from flow_operator.engine.forward import end_forward
from flow_operator.engine.json_text import NotJSON
from flow_operator.engine.payload import store
from flow_operator.engine.starting import end_unstarted
from flow_operator.engine.state import call_of, forward_over, map_steps, undoing, with_call
from flow_operator.engine.suspension import release, suspend, suspended_by


class Rejected(Exception):
    """The command is not possible; the message says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command, and all that it is judged by besides the status."""

    run: Run
    definition: Definition | Unresolved
    now: datetime
    command: Command


Obeyed = tuple[ExecutionStatus, str]


class Args(BaseModel):
    """Arguments of a verb; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, frozen=True)


class AbortArgs(Args):
    """`compensate` defaults to what the workflow's compensation mode says."""

    compensate: bool | None = None
    reason: str = ""


class RetryArgs(Args):
    """Without `steps` all that are parked. `newKey` states that the service will not do it twice."""

    steps: list[str] | None = None
    new_key: bool = False


class SkipArgs(Args):
    """A person did it by hand; `reason` says who, or why."""

    step: str
    reason: str = Field(min_length=1)
    output: Any = None


def _suspend(order: Order, status: ExecutionStatus, _: Args) -> Obeyed:
    _not_ended(status)
    if suspended_by(status) == Reason.SUSPENDED_BY_COMMAND:
        raise Rejected("the run is suspended already")
    by = f" by {order.command.by}" if order.command.by else ""
    message = f"suspended{by}; resume lets it go on"
    held = suspend(status, Reason.SUSPENDED_BY_COMMAND, message, order.run.generation, order.now)
    return held, "suspended: nothing new is called"


def _resume(order: Order, status: ExecutionStatus, _: Args) -> Obeyed:
    _not_ended(status)
    if order.run.spec.suspend:
        raise Rejected("spec.suspend is true: set it to false")
    if suspended_by(status) == Reason.SUSPENDED_BY_COMMAND:
        return release(status, order.run.generation, order.now), "resumed"
    waiting = [id for id, _, _ in _waiting(status)]
    if waiting:
        raise Rejected(f"{', '.join(waiting)} waits for a person: use retry, skip or abort")
    raise Rejected("the run is not suspended")


def _abort(order: Order, status: ExecutionStatus, args: AbortArgs) -> Obeyed:
    _not_ended(status)
    message = f"aborted{f' by {order.command.by}' if order.command.by else ''}" + (args.reason and f": {args.reason}")
    if status.start_time is None:
        ended = end_unstarted(order.run, _released(order, status), Phase.ABORTED, Reason.ABORTED, message, order.now)
        return ended, "aborted before anything was called"
    definition = _resolved(order)
    if forward_over(status):
        return _give_up(order, definition, status, args)
    undo = definition.compensation_mode == "Auto" if args.compensate is None else args.compensate
    status = _released(order, status)
    if not undo:
        status = _close_undos(order, status)
    aborted = end_forward(order.run, status, Phase.ABORTED, Reason.ABORTED, message, order.now, undo=undo)
    return aborted, "aborted; finished steps are undone" if undo else f"aborted; {_left(definition, aborted)}"


def _give_up(order: Order, definition: Definition, status: ExecutionStatus, args: AbortArgs) -> Obeyed:
    assert status.compensation is not None
    if args.compensate is not False:
        raise Rejected("the run is being undone already; abort with compensate: false gives up")
    if not undoing(status):
        raise Rejected("the run is not being undone")
    left = _left(definition, status)
    status = _close_undos(order, _released(order, status))
    assert status.compensation is not None
    if status.compensation.phase is CompensationPhase.PENDING:
        compensation = status.compensation.model_copy(update={"phase": CompensationPhase.NOT_NEEDED})
        return status.model_copy(update={"compensation": compensation}), f"nothing will be undone; {left}"
    compensation = status.compensation.model_copy(
        update={"phase": CompensationPhase.FAILURE, "completion_time": order.now}
    )
    return status.model_copy(
        update={"compensation": compensation, "completion_time": order.now}
    ), f"gave up undoing; {left}"


def _close_undos(order: Order, status: ExecutionStatus) -> ExecutionStatus:
    """Undos that have not succeeded end here; what is in flight may have reached the service."""

    def close(step: StepStatus) -> StepStatus:
        if step.compensation is None or undone(step):
            return step
        given_up = cut(
            step.compensation, Phase.FAILURE, Reason.COMPENSATION_GIVEN_UP, "a person gave up undoing", order.now
        )
        return step.model_copy(update={"compensation": given_up})

    return map_steps(status, close)


def _retry(order: Order, status: ExecutionStatus, args: RetryArgs) -> Obeyed:
    _not_ended(status)
    waiting = {id: (direction, call) for id, direction, call in _waiting(status)}
    wanted = args.steps if args.steps is not None else list(waiting)
    wrong = [id for id in wanted if id not in waiting]
    if wrong or not wanted:
        raise Rejected(f"nothing to retry: {', '.join(wrong) or 'no step'} is not parked")
    for id in wanted:
        direction, call = waiting[id]
        if direction is Direction.DO and not args.new_key:
            raise Rejected(f"the request of {id} would differ from the one sent: use newKey: true, skip or abort")
        status = with_call(status, id, direction, again(call, order.now, new_key=args.new_key))
    return status, f"retrying {', '.join(wanted)}"


def _skip(order: Order, status: ExecutionStatus, args: SkipArgs) -> Obeyed:
    _not_ended(status)
    found = [(direction, call) for id, direction, call in _waiting(status) if id == args.step]
    if not found:
        raise Rejected(f"{args.step} is not suspended or parked")
    direction, call = found[0]
    done = finish(call, Phase.SUCCESS, Reason.SKIPPED_BY_COMMAND, args.reason, order.now)
    if direction is Direction.DO:
        done = done.model_copy(update={"output": _payload(args.output)})
    elif args.output is not None:
        raise Rejected("an undo has no output")
    return with_call(
        status, args.step, direction, done
    ), f"{args.step} counts as {'done' if direction is Direction.DO else 'undone'}"


def _payload(output: Any) -> Payload:
    try:
        return Payload.model_validate(store(output))
    except NotJSON as error:
        raise Rejected(f"output: {error}") from None


def _waiting(status: ExecutionStatus) -> Iterable[tuple[str, Direction, CallStatus]]:
    """Calls that wait for a person."""
    for step in status.steps:
        for direction in Direction:
            call = call_of(status, step.id, direction)
            if call is not None and call.phase is Phase.SUSPEND:
                yield step.id, direction, call


def _not_ended(status: ExecutionStatus) -> None:
    if status.completion_time is not None:
        raise Rejected(f"the run has ended: {status.phase}")


def _resolved(order: Order) -> Definition:
    if isinstance(order.definition, Unresolved):
        raise Rejected(f"the definition of the run is not there: {order.definition.message}")
    return order.definition


def _released(order: Order, status: ExecutionStatus) -> ExecutionStatus:
    return release(status, order.run.generation, order.now)


def _left(definition: Definition, status: ExecutionStatus) -> str:
    left = [step.id for step in members(definition, status) if not undone(step)]
    return f"left applied: {', '.join(left)}" if left else "nothing is left applied"


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: its arguments, and what it does."""

    args: type[Args]
    act: Callable[[Order, ExecutionStatus, Any], Obeyed]


VERBS = {
    "suspend": Verb(Args, _suspend),
    "resume": Verb(Args, _resume),
    "abort": Verb(AbortArgs, _abort),
    "retry": Verb(RetryArgs, _retry),
    "skip": Verb(SkipArgs, _skip),
}
