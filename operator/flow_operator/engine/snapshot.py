"""What goes into a step and what comes out of it (semantics: Messages; Fallback, skip, conditions).

A `Snapshot` is a run as it stands. What expressions see of it is built on demand and only from what is stored, so a
request that is rendered again after a restart is the same request.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from flow_operator.api.meta import Model
from flow_operator.api.status import Direction, ExecutionStatus, Phase, RequestRecord, ResponseRecord, StepStatus
from flow_operator.api.step import BODILESS_METHODS
from flow_operator.engine.contract import Run
from flow_operator.engine.definitions.definition import CallDefinition, Definition, StepDefinition
from flow_operator.engine.expressions.json_text import Value
from flow_operator.engine.expressions.templates import render, render_text
from flow_operator.engine.messages.payload import load, view
from flow_operator.engine.state import absorbed, failures, steps_of


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the snapshots of one plan share, so that every stored body is read once. What is done does not change."""

    values: dict[int, tuple[Model, Value]] = field(default_factory=dict)
    """By the identity of what is stored, which is kept so that no other object takes its place: that, and its value."""
    outputs: dict[tuple[str, ...], Value] = field(default_factory=dict)
    """By the ids of steps that are done: the outputs of all."""


@dataclass(frozen=True)
class Snapshot:
    """A run as it stands: what every decision is made from."""

    run: Run
    definition: Definition
    status: ExecutionStatus
    loaded: Loaded = field(default_factory=Loaded, repr=False)
    _scopes: dict[tuple[str, Direction], Mapping[str, Any]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def steps(self) -> Mapping[str, StepStatus]:
        """Id → status of the step."""
        return steps_of(self.status).by_id

    @property
    def has_input(self) -> bool:
        """Whether the run has an input body."""
        given = self.run.spec.input
        return given is not None and (given.body is not None or given.raw_body is not None)

    @cached_property
    def input(self) -> Value:
        """The run's input body. Raises NotJSON when `rawBody` is none."""
        given = self.run.spec.input
        return None if given is None else self.once(given, lambda: {"body": given.body, "rawBody": given.raw_body})

    @cached_property
    def header(self) -> Mapping[str, str]:
        """The run's header, names in lower case."""
        given = self.run.spec.input
        return {name.lower(): value for name, value in ((given and given.header) or {}).items()}

    def once(self, stored: Model, document: Callable[[], Mapping[str, Any]]) -> Value:
        """The value of what is stored there. Raises NotJSON."""
        found = self.loaded.values.get(id(stored))
        if found is None:
            found = self.loaded.values[id(stored)] = stored, load(document())
        return found[1]

    def scope(self, id: str, direction: Direction) -> Mapping[str, Any]:
        """What the expressions of this call can read, made once."""
        found = self._scopes.get((id, direction))
        if found is None:
            found = self._scopes[id, direction] = scope(self, id, direction)
        return found


def call_definition(step: StepDefinition, direction: Direction) -> CallDefinition:
    """What is called to do, or to undo, this step."""
    if direction is Direction.DO:
        return step
    assert step.compensate is not None, f"{step.id} has no undo"
    return step.compensate


def output_of(snapshot: Snapshot, id: str) -> Value:
    """What a step passes on: its own output, or its fallback's, or null if it was skipped."""
    source = _source(snapshot, id)
    if source is None:
        return None
    stored = source.response if source.output is None else source.output
    return None if stored is None else snapshot.once(stored, stored.document)


def has_output(snapshot: Snapshot, id: str) -> bool:
    """Whether the step ended in Success, by itself or by its fallback."""
    return _source(snapshot, id) is not None


def _source(snapshot: Snapshot, id: str) -> StepStatus | None:
    step = snapshot.steps[id]
    while step.fallback is not None:
        step = snapshot.steps[step.fallback]
    return step if step.phase is Phase.SUCCESS else None


def body_of(snapshot: Snapshot, id: str, direction: Direction) -> Value:
    """The body that the call is sent. Raises ExpressionError."""
    call = call_definition(snapshot.definition.by_id[id], direction)
    if call.body_template is not None:
        return render(call.body_template, snapshot.scope(id, direction))
    return _default_undo_body(snapshot, id) if direction is Direction.UNDO else _default_body(snapshot, id)


def header_of(snapshot: Snapshot, id: str, direction: Direction) -> Mapping[str, str]:
    """The user headers of the call, names in lower case: the run's, then those of `input`, then the endpoint's.

    Raises ExpressionError.
    """
    templates = call_definition(snapshot.definition.by_id[id], direction).header_templates
    if not templates:
        return snapshot.header
    seen = snapshot.scope(id, direction)
    return {**snapshot.header, **{name: render_text(template, seen) for name, template in templates.items()}}


def _default_body(snapshot: Snapshot, id: str) -> Value:
    dag = snapshot.definition.dag
    if id in dag.owner:
        return body_of(snapshot, dag.owner[id], Direction.DO)
    parents = dag.parents[id]
    if not parents:
        return snapshot.input
    if len(parents) == 1:
        return output_of(snapshot, parents[0])
    outputs = snapshot.loaded.outputs
    if parents not in outputs:
        outputs[parents] = {parent: output_of(snapshot, parent) for parent in parents}
    return outputs[parents]


def _default_undo_body(snapshot: Snapshot, id: str) -> Value:
    step = StepView(snapshot, id)
    return {name: step[name] for name in ("request", "response", "effect") if name in step}


def run_output(snapshot: Snapshot) -> Value:
    """The result of the run. Raises ExpressionError."""
    definition = snapshot.definition
    if definition.output_template is not None:
        return render(definition.output_template, scope(snapshot, None))
    leaves = definition.dag.leaves
    if all(snapshot.steps[leaf].phase is Phase.SKIPPED for leaf in leaves):
        return None
    if len(leaves) == 1:
        return output_of(snapshot, leaves[0])
    return {leaf: output_of(snapshot, leaf) for leaf in leaves}


def scope(snapshot: Snapshot, id: str | None, direction: Direction = Direction.DO, **more: Value) -> dict[str, Any]:
    """What an expression of this step can read; of the workflow, when `id` is None. `more` adds variables."""
    run = snapshot.run
    dag = snapshot.definition.dag
    visible = dag.order if id is None else dag.ancestors[id]
    steps = {each: partial(StepView, snapshot, each) for each in visible}
    if id is not None:
        steps["self"] = partial(StepView, snapshot, id)
    variables: dict[str, Any] = {
        "header": dict(snapshot.header),
        "steps": steps,
        "execution": {"name": run.name, "namespace": run.namespace, "uid": run.uid},
        **more,
    }
    if snapshot.has_input:
        variables["input"] = snapshot.input
    if id is not None and (failed := error_of(snapshot, id, direction)) is not None:
        variables["error"] = failed
    return variables


def error_of(snapshot: Snapshot, id: str, direction: Direction) -> Value:
    """The failure that a call of this step answers to; None when no step failed.

    An undo answers to the first failure that counts. A fallback answers to that of its owner, and so does the undo of
    that owner, which is a part of the way forward. It never changes between two attempts of the same call, or their
    requests would differ.
    """
    dag, failed = snapshot.definition.dag, None
    about = snapshot.steps.get(id if direction is Direction.UNDO else dag.owner.get(id, ""))
    if about is not None and about.phase is Phase.FAILURE and (direction is Direction.DO or absorbed(dag, about)):
        failed = about
    elif direction is Direction.UNDO:
        failed = next(iter(failures(dag, snapshot.status)), None)
    return None if failed is None else _error_view(failed)


def _error_view(failed: StepStatus) -> dict[str, Value]:
    seen = {
        "step": failed.id,
        "code": failed.response.code if failed.response else None,
        "reason": str(failed.reason),
        "message": failed.message,
    }
    return {name: value for name, value in seen.items() if value is not None}


class StepView(Mapping[str, Value]):
    """`steps.<id>`: what is not there is absent, never null. A field costs nothing until it is read."""

    def __init__(self, snapshot: Snapshot, id: str) -> None:
        step = snapshot.steps[id]
        self._fields: dict[str, Callable[[], Value]] = {
            "phase": lambda: step.phase.value,
            "effect": lambda: step.effect.value,
        }
        if (key := step.idempotency_key) is not None:
            self._fields["idempotencyKey"] = lambda: key
        if (request := step.request) is not None:
            self._fields["request"] = lambda: _request_view(snapshot, id, request)
        if (response := step.response) is not None:
            self._fields["response"] = lambda: response_view(response)
        if has_output(snapshot, id):
            self._fields["output"] = lambda: output_of(snapshot, id)

    def __getitem__(self, field: str) -> Value:
        return self._fields[field]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, field: object) -> bool:
        return field in self._fields


def _request_view(snapshot: Snapshot, id: str, request: RequestRecord) -> dict[str, Value]:
    """`request`: rendered again, since header and body of a step that has ended are not stored."""
    seen: dict[str, Value] = {
        "method": request.method,
        "url": request.url,
        "header": dict(header_of(snapshot, id, Direction.DO)),
    }
    return seen if request.method in BODILESS_METHODS else {**seen, "body": body_of(snapshot, id, Direction.DO)}


def response_view(response: ResponseRecord) -> dict[str, Value]:
    """`response`: code, header, and `body` or `text` if there is one."""
    seen: dict[str, Value] = {"code": response.code, "header": dict(response.header or {})}
    return {**seen, **view(response.document())}
