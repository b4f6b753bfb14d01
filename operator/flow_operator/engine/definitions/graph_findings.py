"""Findings about how the steps of a workflow are wired."""

from collections.abc import Iterator

from flow_operator.api.reasons import Reason
from flow_operator.api.status import Finding
from flow_operator.api.workflow import WorkflowSpec, WorkflowStep
from flow_operator.engine.definitions.graph import Node, cycles
from flow_operator.engine.expressions.spelling import did_you_mean


def wiring(spec: WorkflowSpec) -> Iterator[Finding]:
    """All that is wrong with `requires`, `acceptSkipped` and `fallback`."""
    ids = {step.id for step in spec.steps}
    fallbacks = {step.fallback for step in spec.steps if step.fallback}
    for number, step in enumerate(spec.steps):
        path = f"spec.steps[{number}]"
        yield from _requires(step, path, ids, fallbacks)
        yield from _accept_skipped(step, path, ids)
        yield from _fallback(step, path, spec)
    for cycle in cycles(
        Node(step.id, tuple(to for to in step.requires if to != step.id), _other(step)) for step in spec.steps
    ):
        yield Finding(path="spec.steps", reason=Reason.CYCLE, message=f"these steps wait for each other: {cycle}")


def _other(step: WorkflowStep) -> str | None:
    return step.fallback if step.fallback != step.id else None


def _requires(step: WorkflowStep, path: str, ids: set[str], fallbacks: set[str]) -> Iterator[Finding]:
    for number, required in enumerate(step.requires):
        where = f"{path}.requires[{number}]"
        if required == step.id:
            yield Finding(path=where, reason=Reason.CYCLE, message=f"{step.id} requires itself: take it out")
        elif required not in ids:
            yield _unknown(where, required, ids)
        elif required in fallbacks:
            message = f"{required} is a fallback: require the step that it stands in for"
            yield Finding(path=where, reason=Reason.INVALID_DEPENDENCY, message=message)
    if step.id in fallbacks and step.requires:
        message = f"{step.id} is a fallback, so it takes the place of its owner and requires nothing itself"
        yield Finding(path=f"{path}.requires", reason=Reason.INVALID_DEPENDENCY, message=message)


def _accept_skipped(step: WorkflowStep, path: str, ids: set[str]) -> Iterator[Finding]:
    for number, accepted in enumerate(step.accept_skipped):
        where = f"{path}.acceptSkipped[{number}]"
        if accepted not in ids:
            yield _unknown(where, accepted, ids)
        elif accepted not in step.requires:
            message = f"{step.id} does not require {accepted}: add it to requires, or take it out here"
            yield Finding(path=where, reason=Reason.INVALID_DEPENDENCY, message=message)


def _fallback(step: WorkflowStep, path: str, spec: WorkflowSpec) -> Iterator[Finding]:
    where = f"{path}.fallback"
    if step.fallback is None:
        return
    if step.fallback == step.id:
        yield Finding(path=where, reason=Reason.CYCLE, message=f"{step.id} is its own fallback: name another step")
    elif step.fallback not in {other.id for other in spec.steps}:
        yield _unknown(where, step.fallback, {other.id for other in spec.steps})
    owners = [other.id for other in spec.steps if other.fallback == step.fallback]
    if len(owners) > 1 and owners[0] != step.id:
        message = f"{step.fallback} is the fallback of {owners[0]} already; a step can be that of one step only"
        yield Finding(path=where, reason=Reason.INVALID_DEPENDENCY, message=message)


def _unknown(where: str, id: str, ids: set[str]) -> Finding:
    message = f"there is no step {id} in this workflow{did_you_mean(id, ids)}"
    return Finding(path=where, reason=Reason.UNKNOWN_STEP, message=message)
