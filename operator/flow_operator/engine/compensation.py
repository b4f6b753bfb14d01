"""Which steps are undone, and in which order (semantics: Compensation)."""

from collections.abc import Iterator
from datetime import datetime

from flow_operator.api.reasons import Reason
from flow_operator.api.status import (
    CallStatus,
    CompensationStatus,
    Direction,
    Effect,
    ExecutionStatus,
    Phase,
    PlannedUndo,
    StepStatus,
)
from flow_operator.engine.calls import cut
from flow_operator.engine.definitions.definition import Definition
from flow_operator.engine.identity import idempotency_key
from flow_operator.engine.state import in_flight

PARALLELISM = 10
"""Undo calls of a run that are in flight at once."""


def undoable(definition: Definition, step: StepStatus) -> bool:
    """Whether this step, as it stands, is to be undone: it has an undo, and may have had an effect."""
    has_undo = definition.by_id[step.id].compensate is not None
    return has_undo and step.effect in (Effect.APPLIED, Effect.UNKNOWN)


def members(definition: Definition, status: ExecutionStatus) -> tuple[StepStatus, ...]:
    """The steps to be undone."""
    return tuple(step for step in status.steps if undoable(definition, step))


def undone(step: StepStatus) -> bool:
    """Whether the undo has succeeded; it is then never called again."""
    return step.compensation is not None and step.compensation.phase is Phase.SUCCESS


def startable(definition: Definition, status: ExecutionStatus) -> Iterator[StepStatus]:
    """Steps whose undo has not begun and may begin now: all that required them are undone."""
    steps = members(definition, status)
    waiting = definition.succession.bits(step.id for step in steps if not undone(step))
    busy = sum(1 for step in steps if step.compensation is not None and in_flight(step.compensation))
    for step in steps:
        if busy >= PARALLELISM:
            return
        begun = step.compensation is not None and step.compensation.phase is not Phase.PENDING
        if not begun and not _still_required(definition, step.id, waiting):
            busy += 1
            yield step


def given_up(step: StepStatus, why: str, now: datetime) -> StepStatus:
    """An undo that has not succeeded ends here. What is in flight may have reached the service."""
    undo = step.compensation or CallStatus(phase=Phase.PENDING)
    if undo.phase in (Phase.SUCCESS, Phase.FAILURE):
        return step
    ended = cut(undo, Phase.FAILURE, Reason.COMPENSATION_GIVEN_UP, why, now)
    return step.model_copy(update={"compensation": ended})


def planned(definition: Definition, status: ExecutionStatus, uid: str, now: datetime) -> ExecutionStatus:
    """The undo calls to come, for people to see before any is made."""
    compensation = status.compensation or CompensationStatus()
    plan = plan_of(definition, status, uid) or None
    if plan == compensation.plan:
        return status
    compensation = compensation.model_copy(update={"plan": plan, "plan_time": now if plan else None})
    return status.model_copy(update={"compensation": compensation})


def plan_of(definition: Definition, status: ExecutionStatus, uid: str) -> tuple[PlannedUndo, ...]:
    """The undo calls still to come, in one valid order."""
    steps = {step.id: step for step in members(definition, status) if not undone(step)}
    among = definition.succession.bits(steps)
    return tuple(
        PlannedUndo(
            step=id, after=_nearest(definition, id, among), idempotency_key=_key(uid, id, steps[id].compensation)
        )
        for id in reversed(definition.dag.order)
        if id in steps
    )


def _key(uid: str, id: str, undo: CallStatus | None) -> str:
    return idempotency_key(uid, id, Direction.UNDO, undo.generation if undo else 0)


def _still_required(definition: Definition, id: str, waiting: int) -> bool:
    """Whether a step that required this one is not undone yet."""
    return definition.succession.any_after(id, waiting)


def _nearest(definition: Definition, id: str, among: int) -> tuple[str, ...]:
    """Those that required `id` with nothing between: the rest follows, and 200 steps stay a short plan."""
    return tuple(sorted(definition.succession.nearest(id, among), key=definition.places.__getitem__))
