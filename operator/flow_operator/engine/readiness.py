"""The status of definitions: Ready or not, and every finding at once.

What is not ready either waits for another object, which may still arrive, or is Stalled: only a person can mend it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flow_operator.api.meta import NAME_MAX_LENGTH
from flow_operator.api.reasons import Reason
from flow_operator.api.status import Condition, DefinitionStatus, Finding, WorkflowStatus
from flow_operator.api.step import StepSpec
from flow_operator.api.workflow import WorkflowSpec
from flow_operator.engine.conditions import Truth, is_true, put
from flow_operator.engine.definitions.definition import Definition, Unresolved, resolve
from flow_operator.engine.definitions.field_findings import parsed
from flow_operator.engine.definitions.findings import step_findings, workflow_findings
from flow_operator.engine.messages.limits import KIB, REVISION_BYTES

WAITING_REASONS = frozenset({Reason.STEP_NOT_FOUND, Reason.STEP_NOT_READY})
"""Why a Workflow waits for a Step."""


def step_status(generation: int, spec: Any, previous: DefinitionStatus, now: datetime) -> DefinitionStatus:
    """The status of a Step whose `spec` is as the API server holds it (poison included)."""
    findings = step_findings(spec)
    reason = Reason.INVALID_STEP if findings else Reason.VALID
    return DefinitionStatus(
        observed_generation=generation,
        conditions=conditions_of(previous, reason, _summary(findings), generation, now),
        findings=tuple(findings),
    )


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a Workflow resolves to with the Steps in its namespace, and what is wrong with it."""

    findings: tuple[Finding, ...]
    definition: Definition | Unresolved


def resolution(name: str, spec: Any, steps: Mapping[str, Any]) -> Resolution:
    """All that is to be said of a Workflow, given the specs of the Steps in its namespace."""
    findings = workflow_findings(spec, _valid(steps))
    if findings:
        message = f"Workflow {name} is not ready: {_summary(findings)}"
        return Resolution(tuple(findings), Unresolved(Reason.WORKFLOW_NOT_READY, message))
    return Resolution((), _resolved(name, WorkflowSpec.model_validate(spec), steps))


def workflow_status(found: Resolution, generation: int, previous: WorkflowStatus, now: datetime) -> WorkflowStatus:
    """The status of a Workflow that resolves to this."""
    definition = found.definition
    if isinstance(definition, Definition):
        ready = conditions_of(previous, Reason.VALID, "", generation, now)
        return WorkflowStatus(
            observed_generation=generation, conditions=ready, levels=definition.dag.levels, revision=definition.revision
        )
    reason = Reason.INVALID_WORKFLOW if found.findings else definition.reason
    message = _summary(found.findings) if found.findings else definition.message
    return WorkflowStatus(
        observed_generation=generation,
        conditions=conditions_of(previous, reason, message, generation, now),
        findings=found.findings,
    )


def definition_of(name: str, spec: Any, steps: Mapping[str, Any]) -> Definition | Unresolved:
    """What a run of this Workflow started now is pinned to; or why none can start."""
    return resolution(name, spec, steps).definition


def _resolved(name: str, workflow: WorkflowSpec, steps: Mapping[str, Any]) -> Definition | Unresolved:
    """What a Workflow without findings resolves to."""
    used = {step.step_ref.name for step in workflow.steps if step.step_ref} & steps.keys()
    broken = sorted(each for each in used if step_findings(steps[each]))
    if broken:
        return Unresolved(Reason.STEP_NOT_READY, f"not ready: Step {', '.join(broken)}; see status.findings there")
    found = resolve(name, workflow, {each: StepSpec.model_validate(steps[each]) for each in used})
    return found if isinstance(found, Unresolved) else _storable(found)


def _storable(definition: Definition) -> Definition | Unresolved:
    """The definition, unless no revision could hold it."""
    if len(definition.workflow) > NAME_MAX_LENGTH:
        message = f"Workflow {definition.workflow} cannot run: a name has at most {NAME_MAX_LENGTH} characters"
        return Unresolved(Reason.WORKFLOW_NOT_READY, message)
    size = definition.stored_bytes
    if size <= REVISION_BYTES:
        return definition
    message = f"with the Steps that it refers to it has {size // KIB} KiB; a revision holds {REVISION_BYTES // KIB}"
    return Unresolved(Reason.WORKFLOW_NOT_READY, f"Workflow {definition.workflow} is too large: {message}")


def is_ready(status: DefinitionStatus) -> bool:
    """Whether the condition Ready is True."""
    return is_true(status.conditions, "Ready")


def _valid(steps: Mapping[str, Any]) -> dict[str, StepSpec]:
    read = {name: parsed(StepSpec, raw)[0] for name, raw in steps.items()}
    return {name: step for name, step in read.items() if step is not None}


def conditions_of(
    previous: DefinitionStatus, reason: Reason, message: str, generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The condition Ready; and Stalled, as kstatus has it: there and True, or not there."""
    truth: Truth = "True" if reason is Reason.VALID else "False"
    ready = put(previous.conditions, "Ready", truth, reason, message, generation, now)
    if reason is Reason.VALID or reason in WAITING_REASONS:
        return tuple(each for each in ready if each.type != "Stalled")
    return put(ready, "Stalled", "True", reason, message, generation, now)


def _summary(findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    first = findings[0]
    more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
    return f"{first.path}: {first.message}{more}"
