"""Everything that is wrong with a definition, at once, each with its path (semantics: Definitions).

The operator writes them into the status, the CLI prints them before anything is applied.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flow_operator.api.status import Finding
from flow_operator.api.step import StepSpec
from flow_operator.api.workflow import WorkflowSpec, WorkflowStep
from flow_operator.engine.definitions.expression_findings import (
    SELF,
    Place,
    in_condition,
    in_message,
    in_step,
    in_template,
    notes_on_outcome,
)
from flow_operator.engine.definitions.field_findings import parsed
from flow_operator.engine.definitions.graph import Node, ancestors
from flow_operator.engine.definitions.graph_findings import wiring


def step_findings(raw: Any, *, strict: bool = False) -> list[Finding]:
    """All that is wrong with the spec of a Step."""
    spec, findings = parsed(StepSpec, raw, strict=strict)
    if spec is None:
        return findings
    return list(_by_itself(spec))


def _by_itself(spec: StepSpec) -> Iterator[Finding]:
    """What is wrong with a Step wherever it is used; it may be used as a fallback, which can read `error`."""
    return in_step(spec, Place("spec", ancestors=None, more=frozenset({"error"})))


def workflow_findings(raw: Any, steps: Mapping[str, StepSpec], *, strict: bool = False) -> list[Finding]:
    """All that is wrong with the spec of a Workflow, given the Steps that are there and valid by themselves."""
    spec, findings = parsed(WorkflowSpec, raw, strict=strict)
    if spec is None:
        return findings
    findings = list(wiring(spec))
    before = ancestors(Node(step.id, step.requires, step.fallback) for step in spec.steps)
    fallbacks = {step.fallback for step in spec.steps}
    ids = frozenset(before)
    for number, step in enumerate(spec.steps):
        later = frozenset(id for id in ids if step.id in before[id]) - before[step.id]
        others = ids - before[step.id] - later - {step.id}
        place = Place(f"spec.steps[{number}]", before[step.id], others, later, step.id)
        findings += _step(step, place.at("", "error") if step.id in fallbacks else place, steps)
    findings += in_template(spec.output, Place("spec.output", frozenset(each.id for each in spec.steps)))
    return findings


def notes(spec: StepSpec | WorkflowSpec) -> Iterator[Finding]:
    """What is worth a second look in a definition. It is not wrong, so the operator does not say it."""
    if isinstance(spec, StepSpec):
        yield from notes_on_outcome(spec.outcome, "spec")
        return
    for number, step in enumerate(spec.steps):
        yield from notes_on_outcome(step.outcome, f"spec.steps[{number}]")


def _step(step: WorkflowStep, place: Place, steps: Mapping[str, StepSpec]) -> Iterator[Finding]:
    yield from in_condition(step.when, place.at(".when"))
    if step.step_ref is None:
        yield from in_step(StepSpec.model_validate(step.model_dump(exclude_unset=True)), place)
        return
    yield from in_message(step.input, place.at(".input"))
    yield from in_template(step.output, place.at(".output", "response", SELF))
    referenced = steps.get(step.step_ref.name)
    if referenced is None:
        return
    own = {finding.message for finding in _by_itself(referenced)}
    for finding in in_step(_not_replaced(step, referenced), place):
        if finding.message not in own:
            message = f"Step {step.step_ref.name}: {finding.message}"
            yield Finding(path=f"{place.path}.stepRef", reason=finding.reason, message=message)


def _not_replaced(step: WorkflowStep, referenced: StepSpec) -> StepSpec:
    """What of a Step counts in this workflow, besides what the workflow writes itself."""
    return referenced.model_copy(
        update={
            "input": None if step.input else referenced.input,
            "output": referenced.output if step.output is None else None,
        }
    )
