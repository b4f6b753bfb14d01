"""Reading and replacing parts of a status. Every function returns a new value."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from flow_operator.api.indexed import Indexed
from flow_operator.api.reasons import Reason
from flow_operator.api.status import (
    CallStatus,
    CompensationPhase,
    Direction,
    Effect,
    ExecutionStatus,
    Phase,
    RequestRecord,
    StatusModel,
    StepStatus,
)
from flow_operator.engine.definitions.graph import Dag

_RANK = {Effect.NONE: 0, Effect.UNKNOWN: 1, Effect.APPLIED: 2}
Call = TypeVar("Call", bound=CallStatus)
AnyModel = TypeVar("AnyModel", bound=StatusModel)

DONE = frozenset({Phase.SUCCESS, Phase.SKIPPED})


def stronger(one: Effect, other: Effect) -> Effect:
    """Applied if either is, else Unknown if either is, else None."""
    return one if _RANK[one] >= _RANK[other] else other


def steps_of(status: ExecutionStatus) -> Indexed[StepStatus]:
    """The steps, to be found by id."""
    steps = status.steps
    return steps if isinstance(steps, Indexed) else Indexed(steps)


def step_of(status: ExecutionStatus, id: str) -> StepStatus:
    """The status of a step. Raises KeyError when there is none."""
    step = steps_of(status).find(id)
    if step is None:
        raise KeyError(id)
    return step


def failures(dag: Dag, status: ExecutionStatus) -> tuple[StepStatus, ...]:
    """Steps whose failure counts: no fallback absorbs it, or will. First recorded first."""

    def counts(step: StepStatus) -> bool:
        if step.phase is not Phase.FAILURE:
            return False
        return not absorbed(dag, step) or step_of(status, dag.fallback[step.id]).phase is Phase.SKIPPED

    found = [step for step in status.steps if counts(step)]
    return tuple(sorted(found, key=lambda step: step.completion_time.timestamp() if step.completion_time else 0))


def absorbed(dag: Dag, failed: StepStatus) -> bool:
    """Whether a failure is left to a fallback, which takes over unless it is skipped by its own `when`."""
    return failed.id in dag.fallback and failed.reason != Reason.STATUS_TOO_LARGE


def call_of(status: ExecutionStatus, id: str, direction: Direction) -> CallStatus | None:
    """The status of doing or undoing a step; None for an undo that is not planned."""
    step = step_of(status, id)
    return step if direction is Direction.DO else step.compensation


def with_call(status: ExecutionStatus, id: str, direction: Direction, call: CallStatus) -> ExecutionStatus:
    """The status with this call in it. Raises KeyError when it has no such step."""
    if direction is Direction.UNDO:
        changed = step_of(status, id).model_copy(update={"compensation": call})
    else:
        assert isinstance(call, StepStatus)
        changed = call
    return status.model_copy(update={"steps": steps_of(status).with_item(changed)})


def map_steps(status: ExecutionStatus, change: Callable[[StepStatus], StepStatus]) -> ExecutionStatus:
    """The status with every step changed; the very same object when no step was."""
    before = steps_of(status)
    steps = before.changed(change)
    return status if steps is before else status.model_copy(update={"steps": steps})


def replaced(value: Call, **changes: Any) -> Call:
    """A call with these fields changed."""
    return value.model_copy(update=changes)


def updated(value: AnyModel, **changes: Any) -> AnyModel:
    """The value with these fields as they are to be; the very same object when they are so already."""
    if all(getattr(value, name) == new for name, new in changes.items()):
        return value
    return value.model_copy(update=changes)


def without_content(request: RequestRecord) -> RequestRecord:
    """A request of which header and body are not stored: they can be rendered again, and the digest proves it."""
    return RequestRecord(method=request.method, url=request.url, digest=request.digest, size=request.size)


def calls(status: ExecutionStatus) -> Iterator[tuple[str, Direction, CallStatus]]:
    """Every call of the run, done or to be done."""
    for step in status.steps:
        yield step.id, Direction.DO, step
        if step.compensation is not None:
            yield step.id, Direction.UNDO, step.compensation


def in_flight(call: CallStatus) -> bool:
    """Running and not backing off: its answer is awaited, or was lost."""
    return call.phase is Phase.RUNNING and call.next_attempt_time is None


def forward_over(status: ExecutionStatus) -> bool:
    """Whether the run has failed or was aborted, or has ended: no step starts any more."""
    return status.completion_time is not None or (
        status.compensation is not None and status.compensation.phase is not None
    )


def aborted(status: ExecutionStatus) -> bool:
    """Whether the forward part was ended by `abort`."""
    return status.compensation is not None and status.compensation.trigger == "Aborted"


def called_off(status: ExecutionStatus) -> bool:
    """Whether a person ended the forward part, or said that the backward part is over."""
    return aborted(status) or (status.compensation is not None and status.compensation.completion_time is not None)


def undoing(status: ExecutionStatus) -> bool:
    """Whether the forward part is over and its steps are to be undone."""
    return status.compensation is not None and status.compensation.phase in (
        CompensationPhase.PENDING,
        CompensationPhase.RUNNING,
        CompensationPhase.SUSPEND,
    )


def parked(status: ExecutionStatus) -> bool:
    """Whether an undo waits for a person."""
    return any(step.compensation is not None and step.compensation.phase is Phase.SUSPEND for step in status.steps)


def awaiting_forward(status: ExecutionStatus) -> bool:
    """Whether a forward call is still in flight."""
    return any(in_flight(step) for step in status.steps)
