"""`kubectl flow lint`: all that is wrong with Workflows, Steps and runs in files, without a cluster."""

from collections.abc import Iterable, Iterator, Sequence

from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.kinds import KINDS, STEP, WORKFLOW
from flow_operator.api.reasons import Reason
from flow_operator.api.status import Finding
from flow_operator.api.step import StepSpec
from flow_operator.api.workflow import WorkflowSpec
from flow_operator.cli.errors import Cannot
from flow_operator.cli.manifests import Manifest, Unread, read
from flow_operator.cli.terminal import print_error, print_line
from flow_operator.cli.words import clean
from flow_operator.engine.field_findings import parsed
from flow_operator.engine.findings import notes, step_findings, workflow_findings

CLEAN, WRONG = 0, 1


def lint(files: Sequence[str]) -> int:
    """Print every finding; 1 if there is any. Raises Cannot when there is nothing to judge."""
    found = [each for file in files for each in read(file)]
    manifests = [each for each in found if isinstance(each, Manifest)]
    if not found:
        raise Cannot(f"no Workflow, Step or WorkflowExecution in {', '.join(files)}")
    wrong = [*_unread(found), *_doubles(manifests)]
    hints: list[str] = []
    for manifest in manifests:
        wrong += [f"{manifest.title} {_said(finding)}" for finding in findings(manifest, manifests)]
        hints += [f"{manifest.title} {note}" for note in (*_dangling(manifest, manifests), *_notes(manifest))]
    for line in (*wrong, *hints):
        print_line(clean(line))
    print_error(_summary(manifests, len(wrong)))
    return WRONG if wrong else CLEAN


def findings(manifest: Manifest, others: Iterable[Manifest]) -> list[Finding]:
    """All that is wrong with one object, given the Steps beside it."""
    found = list(manifest.findings)
    for strict in (
        (True, False) if manifest.spec is not None else ()
    ):  # a field that is unknown must not hide what is wrong with the graph
        found += [each for each in _of_spec(manifest, others, strict) if each not in found]
    return found


def _of_spec(manifest: Manifest, others: Iterable[Manifest], strict: bool) -> list[Finding]:
    if manifest.kind is STEP:
        return step_findings(manifest.spec, strict=strict)
    if manifest.kind is WORKFLOW:
        return workflow_findings(manifest.spec, _valid_steps(manifest, others), strict=strict)
    return parsed(ExecutionSpec, manifest.spec, strict=strict)[1]


def _valid_steps(of: Manifest, others: Iterable[Manifest]) -> dict[str, StepSpec]:
    steps = {each.name: parsed(StepSpec, each.spec)[0] for each in others if _beside(of, each)}
    return {name: step for name, step in steps.items() if step is not None}


def _beside(of: Manifest, step: Manifest) -> bool:
    """Whether a Step may be in the namespace of a Workflow: where none is written, any is meant."""
    same = of.namespace is None or step.namespace is None or of.namespace == step.namespace
    return step.kind is STEP and same


def _dangling(manifest: Manifest, others: Sequence[Manifest]) -> Iterator[str]:
    if manifest.kind is not WORKFLOW:
        return
    known = {each.name for each in others if _beside(manifest, each)}
    spec, _ = parsed(WorkflowSpec, manifest.spec)
    for number, step in enumerate(spec.steps if spec else ()):
        if step.step_ref is not None and step.step_ref.name not in known:
            yield f"spec.steps[{number}].stepRef: note: the Step {step.step_ref.name} is in none of these files"


def _notes(manifest: Manifest) -> Iterator[str]:
    """What is worth a second look, and no reason to refuse the object."""
    spec: StepSpec | WorkflowSpec | None = None
    if manifest.kind is STEP:
        spec, _ = parsed(StepSpec, manifest.spec)
    elif manifest.kind is WORKFLOW:
        spec, _ = parsed(WorkflowSpec, manifest.spec)
    return (f"{note.path}: note: {note.message}" for note in (notes(spec) if spec else ()))


def _doubles(manifests: Iterable[Manifest]) -> Iterator[str]:
    first: dict[tuple[str, str | None, str], Manifest] = {}
    for each in manifests:
        before = first.setdefault((each.kind.name, each.namespace, each.name), each)
        if before is not each and each.name != "?":
            yield f"{each.title} metadata.name: {Reason.INVALID_FIELD}: the same name as in {before.place}"


def _unread(found: Iterable[Manifest | Unread]) -> Iterator[str]:
    return (f"{each.place} {each.message}" for each in found if isinstance(each, Unread))


def _said(finding: Finding) -> str:
    return f"{finding.path}: {finding.reason}: {finding.message}"


def _summary(manifests: Sequence[Manifest], wrong: int) -> str:
    counts = [_count(sum(each.kind is kind for each in manifests), kind.name) for kind in KINDS]
    objects = ", ".join(count for count in counts if count) or "nothing that could be read"
    return f"{objects}: {_count(wrong, 'finding') or 'nothing is wrong'}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' if number > 1 else ''}" if number else ""
