"""What each verb does: a function from the command in its context and the status to the new status and a message."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from flow_operator.api.reasons import Reason
from flow_operator.api.status import CallStatus, Direction, ExecutionStatus, Payload, Phase
from flow_operator.engine.aborting import AbortArgs, abort
from flow_operator.engine.calls import again, finish
from flow_operator.engine.command_context import Args, CommandContext, CommandResult, Rejected, not_ended
from flow_operator.engine.expressions.json_text import NotJSON, TooBig, weigh
from flow_operator.engine.messages.limits import ANSWER_BYTES
from flow_operator.engine.messages.payload import store
from flow_operator.engine.state import call_of, with_call
from flow_operator.engine.suspension import suspend, suspended_by


class RetryArgs(Args):
    """Without `steps` all that are parked. `newKey` states that the service will not do it twice."""

    steps: list[str] | None = None
    new_key: bool = False


class SkipArgs(Args):
    """A person did it by hand; `reason` says who, or why."""

    step: str
    reason: str = Field(min_length=1, max_length=512)
    output: Any = None


def _suspend(context: CommandContext, status: ExecutionStatus, _: Args) -> CommandResult:
    not_ended(status)
    if suspended_by(status) == Reason.SUSPENDED_BY_COMMAND:
        raise Rejected("the run is suspended already")
    message = f"suspended{context.by}; resume lets it go on"
    held = suspend(status, Reason.SUSPENDED_BY_COMMAND, message, context.run.generation, context.now)
    return held, "suspended: nothing new is called"


def _resume(context: CommandContext, status: ExecutionStatus, _: Args) -> CommandResult:
    not_ended(status)
    if context.run.spec.suspend:
        raise Rejected("spec.suspend is true: set it to false")
    if suspended_by(status) == Reason.SUSPENDED_BY_COMMAND:
        return context.released(status), "resumed"
    waiting = [id for id, _, _ in _waiting(status)]
    if waiting:
        raise Rejected(f"{', '.join(waiting)} waits for a person: use retry, skip or abort")
    raise Rejected("the run is not suspended")


def _retry(context: CommandContext, status: ExecutionStatus, args: RetryArgs) -> CommandResult:
    not_ended(status)
    waiting = {id: (direction, call) for id, direction, call in _waiting(status)}
    wanted = list(waiting) if args.steps is None else list(dict.fromkeys(args.steps))
    wrong = [id for id in wanted if id not in waiting]
    if wrong or not wanted:
        raise Rejected(f"{', '.join(wrong)} does not wait for a person" if wrong else "no step waits for a person")
    for id in wanted:
        direction, call = waiting[id]
        if call.reason == Reason.REQUEST_CHANGED and not args.new_key:
            raise Rejected(f"the request of {id} would differ from the one sent: use newKey: true, skip or abort")
        status = with_call(status, id, direction, again(call, context.now, new_key=args.new_key))
    return status, f"retrying {', '.join(wanted)}"


def _skip(context: CommandContext, status: ExecutionStatus, args: SkipArgs) -> CommandResult:
    not_ended(status)
    found = [(direction, call) for id, direction, call in _waiting(status) if id == args.step]
    if not found:
        raise Rejected(f"{args.step} is not suspended or parked")
    direction, call = found[0]
    done = finish(call, Phase.SUCCESS, Reason.SKIPPED_BY_COMMAND, args.reason, context.now)
    if direction is Direction.DO:
        done = done.model_copy(update={"output": _payload(args.output)})
    elif args.output is not None:
        raise Rejected("an undo has no output")
    said = "done" if direction is Direction.DO else "undone"
    return with_call(status, args.step, direction, done), f"{args.step} counts as {said}"


def _payload(output: Any) -> Payload:
    try:
        weigh(output, ANSWER_BYTES)
        return Payload.model_validate(store(output))
    except (NotJSON, TooBig) as error:
        raise Rejected(f"output: {error}") from None


def _waiting(status: ExecutionStatus) -> Iterable[tuple[str, Direction, CallStatus]]:
    """Calls that wait for a person."""
    for step in status.steps:
        for direction in Direction:
            call = call_of(status, step.id, direction)
            if call is not None and call.phase is Phase.SUSPEND:
                yield step.id, direction, call


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: its arguments, and what it does."""

    args: type[Args]
    act: Callable[[CommandContext, ExecutionStatus, Any], CommandResult]


VERBS = {
    "suspend": Verb(Args, _suspend),
    "resume": Verb(Args, _resume),
    "abort": Verb(AbortArgs, abort),
    "retry": Verb(RetryArgs, _retry),
    "skip": Verb(SkipArgs, _skip),
}
