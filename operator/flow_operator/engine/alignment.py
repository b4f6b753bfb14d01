"""A status whose steps are not those of the definition: somebody edited it, or restored an older one.

A run that has started lists every step, in the order of its definition. A step that is missing counts as never started.
What the definition does not know, an unknown id or a second entry of the same id, means nothing to the run and is kept
as it is, behind the others: what it says may be of use to a person.
"""

from dataclasses import replace

from flow_operator.api.indexed import Indexed
from flow_operator.api.status import ExecutionStatus, Phase, StepStatus
from flow_operator.engine.contract import Run
from flow_operator.engine.definitions.definition import Definition, StepDefinition
from flow_operator.engine.identity import trace
from flow_operator.engine.size import bytes_of
from flow_operator.engine.state import steps_of

Unknown = tuple[StepStatus, ...]
"""Entries that the definition does not know."""


def aligned(run: Run, definition: Definition, status: ExecutionStatus) -> tuple[Run, ExecutionStatus, Unknown]:
    """The status with exactly the steps of the definition, what else it lists, and the run with the bytes of that.

    The status is the very same object when it is whole, as it always is unless somebody has changed it.
    """
    if status.trace is None:
        status = status.model_copy(update={"trace": trace(run.uid)})
    steps = steps_of(status)
    if tuple(step.id for step in steps) == definition.ids and all(
        _fits(step, each)
        for step, each in zip(steps, definition.steps, strict=True)
        if step.fallback is not None or step.compensation is not None
    ):
        return run, status, ()
    known = Indexed(_fitting(steps.find(each.id), each) for each in definition.steps)
    unknown = Indexed(step for step in steps if step.id not in definition.by_id or step is not steps.find(step.id))
    run = replace(run, outside_bytes=run.outside_bytes + bytes_of(unknown))
    return run, status.model_copy(update={"steps": known}), unknown


def with_unknown(status: ExecutionStatus, unknown: Unknown) -> ExecutionStatus:
    """The status with what `aligned` took out of it."""
    return status.model_copy(update={"steps": Indexed((*status.steps, *unknown))}) if unknown else status


def _fits(step: StepStatus, definition: StepDefinition) -> bool:
    """Whether the step says nothing that its definition makes impossible."""
    return (step.fallback is None or step.fallback == definition.fallback) and (
        step.compensation is None or definition.compensate is not None
    )


def _fitting(step: StepStatus | None, definition: StepDefinition) -> StepStatus:
    if step is None:
        return StepStatus(id=definition.id, phase=Phase.PENDING)
    if _fits(step, definition):
        return step
    fallback = definition.fallback if step.fallback == definition.fallback else None
    return step.model_copy(
        update={"fallback": fallback, "compensation": step.compensation if definition.compensate else None}
    )
