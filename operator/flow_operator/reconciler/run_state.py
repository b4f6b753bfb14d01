"""What an actor knows of its run: the models of what is stored, and the outcomes that are not stored yet."""

from collections.abc import Iterable

from pydantic import ValidationError

from flow_operator.api.execution import ExecutionSpec, WorkflowRef
from flow_operator.api.reasons import Reason
from flow_operator.api.status import CallStatus, Direction, ExecutionStatus
from flow_operator.engine.contract import Outcome, Run
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.definitions.field_mistakes import explain
from flow_operator.reconciler.entry import Entry
from flow_operator.reconciler.ports import Now, Object, Registrar


class Unreadable(Exception):
    """The status is not one that this version can read: nothing is done until somebody changes it."""


class RunState:
    """The models of one run. They are parsed again only when their documents have changed.

    An outcome is forgotten only once it is stored: until then it is in the entry, which outlives the actor.
    """

    def __init__(self, entry: Entry, record: Registrar, now: Now) -> None:
        self._entry = entry
        self._record = record
        self._now = now
        self._spec_text = b""
        self.spec: ExecutionSpec = _nothing(entry.workflow)
        self.unreadable_spec: Unresolved | None = None
        self._recorded = 0
        """How many of the unstored outcomes are in `working`."""
        self.document: Object = {}
        self.stored = self.working = ExecutionStatus()
        self.adopt()

    @property
    def run(self) -> Run:
        """The run besides its status."""
        entry = self._entry
        return Run(
            namespace=entry.namespace,
            name=entry.name,
            uid=entry.uid,
            generation=entry.generation,
            spec=self.spec,
            command=entry.new_command,
            outside_bytes=entry.outside_bytes,
        )

    def adopt(self) -> None:
        """Start from what the entry says now, and record on it what is not stored yet."""
        entry = self._entry
        if entry.spec and entry.spec != self._spec_text:
            self.spec, self.unreadable_spec = _spec(entry.spec, entry.workflow)
            self._spec_text = entry.spec
        document = entry.unpacked_status()
        entry.status = document
        if document != self.document:
            self.stored = _status(document)
            self.document = document
        self.working = self.stored
        self._recorded = 0
        self.record_unstored()

    @property
    def definition(self) -> Definition | None:
        """What the calls in flight were made from."""
        return self._entry.definition

    @definition.setter
    def definition(self, definition: Definition | None) -> None:
        if definition is not None or not self._entry.unstored:  # outcomes need the one that they came from
            self._entry.definition = definition

    @property
    def has_unstored(self) -> bool:
        """Some outcome is not stored yet."""
        return bool(self._entry.unstored)

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Calls have ended. They are recorded by `record_unstored`."""
        self._entry.unstored.extend(outcomes)

    def record_unstored(self) -> list[tuple[Outcome, CallStatus]]:
        """Record on the working status what is not in it yet; the calls that this has closed."""
        closed: list[tuple[Outcome, CallStatus]] = []
        unstored = self._entry.unstored
        while self._recorded < len(unstored):
            outcome = unstored[self._recorded]
            assert self.definition is not None, "an outcome without a call"
            recorded = self._record(self.run, self.definition, self.working, outcome, self._now())
            if recorded is self.working:
                del unstored[self._recorded]  # its attempt is closed already: there is nothing to be stored
                continue
            self.working = recorded
            self._recorded += 1
            if (call := _call(recorded, outcome)) is not None:
                closed.append((outcome, call))
        return closed

    def keep(self, status: ExecutionStatus, document: Object) -> None:
        """This is what the API server has now."""
        self.stored = self.working = status
        self.document = document
        self._entry.unstored.clear()
        self._recorded = 0
        self._entry.summarize(document)


def _spec(text: bytes, workflow: str) -> tuple[ExecutionSpec, Unresolved | None]:
    try:
        return ExecutionSpec.model_validate_json(text), None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in ("spec", *first["loc"]))
        return _nothing(workflow), Unresolved(Reason.INVALID_INPUT, f"{path}: {explain(first)}")


def _nothing(workflow: str) -> ExecutionSpec:
    return ExecutionSpec.model_construct(workflow_ref=WorkflowRef.model_construct(name=workflow))


def _status(document: Object) -> ExecutionStatus:
    try:
        return ExecutionStatus.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in ("status", *first["loc"]))
        raise Unreadable(f"{path}: {explain(first)}") from None


def _call(status: ExecutionStatus, outcome: Outcome) -> CallStatus | None:
    step = next((step for step in status.steps if step.id == outcome.step), None)
    return step if step is None or outcome.direction is Direction.DO else step.compensation
