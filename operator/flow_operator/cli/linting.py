"""`kubectl flow lint`: all that is wrong with Workflows, Steps and runs in files, without a cluster."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.kinds import KINDS, STEP, WORKFLOW, WORKFLOW_EXECUTION
from flow_operator.api.meta import Model
from flow_operator.api.reasons import Reason
from flow_operator.api.status import Finding
from flow_operator.api.step import StepSpec
from flow_operator.api.workflow import WorkflowSpec
from flow_operator.cli.documents import position
from flow_operator.cli.errors import Cannot
from flow_operator.cli.manifests import Manifest, Unread, files_in, read
from flow_operator.cli.mending import mended
from flow_operator.cli.reports import FORMATS, Problem
from flow_operator.cli.terminal import print_error, print_line
from flow_operator.engine.definitions.field_findings import parsed
from flow_operator.engine.definitions.findings import notes, step_findings, workflow_findings

CLEAN, WRONG = 0, 1
MODELS: Mapping[str, type[Model]] = MappingProxyType(
    {STEP.name: StepSpec, WORKFLOW.name: WorkflowSpec, WORKFLOW_EXECUTION.name: ExecutionSpec}
)


def lint(paths: Sequence[str], form: str = "text") -> int:
    """Print every finding; 1 if there is any. Raises Cannot when there is nothing to judge."""
    files = [file for path in dict.fromkeys(paths) for file in files_in(path)]
    found = [each for file in files for each in read(file)]
    manifests = [each for each in found if isinstance(each, Manifest)]
    if not found:
        raise Cannot(f"no Workflow, Step or WorkflowExecution in {', '.join(paths)}")
    problems = [*_unread(found), *_doubles(manifests)]
    for manifest in manifests:
        problems += [_problem(manifest, finding) for finding in findings(manifest, manifests)]
        problems += [*_dangling(manifest, manifests), *_notes(manifest)]
    place = {file: number for number, file in enumerate(files)}
    problems.sort(key=lambda each: (place[each.file], each.line, each.column))
    for line in FORMATS[form](problems):
        print_line(line)
    wrong = sum(not each.note for each in problems)
    print_error(_summary(manifests, wrong))
    return WRONG if wrong else CLEAN


def findings(manifest: Manifest, others: Iterable[Manifest]) -> list[Finding]:
    """All that is wrong with one object, given the Steps beside it."""
    found = list(manifest.findings)
    if manifest.spec is None:
        return found
    for strict in (True, False):  # a field that is unknown must not hide what is wrong with the graph
        found += [each for each in _of_spec(manifest, manifest.spec, others, strict) if each not in found]
    if parsed(MODELS[manifest.kind.name], manifest.spec)[0] is None:
        found += _of_the_rest(manifest, others, found)
    return found


def _of_the_rest(manifest: Manifest, others: Iterable[Manifest], told: Sequence[Finding]) -> list[Finding]:
    """What else is wrong beside fields whose values cannot be read."""
    rest = mended(MODELS[manifest.kind.name], manifest.spec)
    if rest is None:
        return []
    more = [each for each in rest.found.values() if each not in told]
    unread = {each.path for each in (*told, *more) if each.reason == Reason.INVALID_FIELD}
    judged = (each for each in _of_spec(manifest, rest.spec, others, strict=False) if each.reason not in rest.untold)
    return [*more, *(each for each in judged if each.path not in unread)]


def _of_spec(manifest: Manifest, spec: Any, others: Iterable[Manifest], strict: bool) -> list[Finding]:
    if manifest.kind is STEP:
        return step_findings(spec, strict=strict)
    if manifest.kind is WORKFLOW:
        return workflow_findings(spec, _valid_steps(manifest, others), strict=strict)
    return parsed(ExecutionSpec, spec, strict=strict)[1]


def _valid_steps(of: Manifest, others: Iterable[Manifest]) -> dict[str, StepSpec]:
    steps = {each.name: parsed(StepSpec, each.spec)[0] for each in others if _beside(of, each)}
    return {name: step for name, step in steps.items() if step is not None}


def _beside(of: Manifest, step: Manifest) -> bool:
    """Whether a Step may be in the namespace of a Workflow: where none is written, any is meant."""
    same = of.namespace is None or step.namespace is None or of.namespace == step.namespace
    return step.kind is STEP and same


def _dangling(manifest: Manifest, others: Sequence[Manifest]) -> Iterator[Problem]:
    if manifest.kind is not WORKFLOW:
        return
    known = {each.name for each in others if _beside(manifest, each)}
    spec, _ = parsed(WorkflowSpec, manifest.spec)
    for number, step in enumerate(spec.steps if spec else ()):
        if step.step_ref is not None and step.step_ref.name not in known:
            path, message = f"spec.steps[{number}].stepRef", f"the Step {step.step_ref.name} is in none of these files"
            yield _note(manifest, path, message)


def _notes(manifest: Manifest) -> Iterator[Problem]:
    """What is worth a second look, and no reason to refuse the object."""
    spec: StepSpec | WorkflowSpec | None = None
    if manifest.kind is STEP:
        spec, _ = parsed(StepSpec, manifest.spec)
    elif manifest.kind is WORKFLOW:
        spec, _ = parsed(WorkflowSpec, manifest.spec)
    return (_note(manifest, each.path, each.message) for each in (notes(spec) if spec else ()))


def _doubles(manifests: Iterable[Manifest]) -> Iterator[Problem]:
    first: dict[tuple[str, str | None, str], Manifest] = {}
    for each in manifests:
        before = first.setdefault((each.kind.name, each.namespace, each.name), each)
        if before is not each and each.name != "?":
            message = f"the same name as in {before.place}"
            yield _problem(each, Finding(path="metadata.name", reason=Reason.INVALID_FIELD, message=message))


def _unread(found: Iterable[Manifest | Unread]) -> Iterator[Problem]:
    return (Problem(each.file, each.line, each.column, each.message) for each in found if isinstance(each, Unread))


def _problem(manifest: Manifest, finding: Finding) -> Problem:
    line, column = position(manifest.node, finding.path)
    about = manifest.title, finding.path, str(finding.reason)
    return Problem(manifest.file, line, column, finding.message, *about)


def _note(manifest: Manifest, path: str, message: str) -> Problem:
    return Problem(manifest.file, *position(manifest.node, path), message, manifest.title, path, note=True)


def _summary(manifests: Sequence[Manifest], wrong: int) -> str:
    counts = [_count(sum(each.kind is kind for each in manifests), kind.name) for kind in KINDS]
    objects = ", ".join(count for count in counts if count) or "nothing that could be read"
    return f"{objects}: {_count(wrong, 'finding') or 'nothing is wrong'}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' if number > 1 else ''}" if number else ""
