"""The Workflows and Steps of all namespaces, as the API server has them, and what they resolve to.

A definition is checked when somebody asks for its status or wants to start a run, and again only after it has changed.
A Workflow is checked and resolved together with the Steps that it refers to, and again after one of them has changed.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from flow_operator.api.reasons import Reason
from flow_operator.api.status import DefinitionStatus, WorkflowStatus
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.readiness import Resolution, conditions_of, resolution, step_status, workflow_status
from flow_operator.reconciler.ports import STEPS, WORKFLOWS, Now, Object
from flow_operator.reconciler.versions import is_newer, version_of

log = logging.getLogger(__name__)

Plural = Literal["workflows", "steps"]
Status = TypeVar("Status", bound=DefinitionStatus)


@dataclass(slots=True)
class Known:
    """A Workflow or a Step."""

    plural: Plural
    namespace: str
    name: str
    uid: str
    version: str
    generation: int
    spec: Any
    status: Object
    steps: frozenset[str] = frozenset()
    """Names of the Steps that a Workflow refers to."""
    judged: DefinitionStatus | None = None
    """Its status as it ought to be; None until somebody asks."""
    resolved: Resolution | Unresolved | None = None
    """What a Workflow resolves to, or that it cannot be read; None until somebody asks."""


@dataclass(slots=True)
class Namespace:
    """The definitions of one namespace, by name."""

    workflows: dict[str, Known] = field(default_factory=dict)
    steps: dict[str, Known] = field(default_factory=dict)

    def of(self, plural: str) -> dict[str, Known]:
        """All of one kind."""
        return self.workflows if plural == WORKFLOWS else self.steps


class Definitions:
    """The cache of both kinds."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._namespaces: dict[str, Namespace] = {}
        self._names: Counter[str] = Counter()
        """Of Workflows: how many namespaces have one of this name."""
        self.on_change: Callable[[Known], None] = _nobody
        """Told of each definition that is to be judged again, itself or because of a Step it refers to."""
        self.on_deletion: Callable[[Known], None] = _nobody

    def __iter__(self) -> Iterator[Known]:
        for namespace in self._namespaces.values():
            yield from namespace.steps.values()
            yield from namespace.workflows.values()

    def observe(self, plural: Plural, body: Object) -> None:
        """The API server says so; perhaps it is old news."""
        metadata = body["metadata"]
        within = self._namespaces.setdefault(metadata["namespace"], Namespace())
        known = within.of(plural).get(metadata["name"])
        if known is not None and not is_newer(version_of(metadata), known.version):
            return
        fresh = _known(plural, body)
        if known is not None and (known.uid, known.generation) == (fresh.uid, fresh.generation):
            known.version, known.status = fresh.version, fresh.status
            if known.judged is not None and known.status != known.judged.document():
                self.on_change(known)  # somebody else has written it
            return
        if known is not None and known.uid != fresh.uid:
            self.on_deletion(known)
        if known is None and plural == WORKFLOWS:
            self._names[fresh.name] += 1
        within.of(plural)[fresh.name] = fresh
        self._changed(within, fresh)

    def forget(self, plural: Plural, namespace: str, name: str, uid: str | None = None) -> None:
        """The definition was deleted."""
        known = self.find(plural, namespace, name)
        if known is None or uid not in (None, known.uid):
            return
        within = self._namespaces[namespace]
        del within.of(plural)[name]
        if plural == WORKFLOWS:
            self._names -= Counter((name,))
        self.on_deletion(known)
        self._changed(within, known)
        if not within.workflows and not within.steps:
            del self._namespaces[namespace]

    def find(self, plural: str, namespace: str, name: str) -> Known | None:
        """The definition of this name."""
        within = self._namespaces.get(namespace)
        return None if within is None else within.of(plural).get(name)

    def has_workflow(self, name: str) -> bool:
        """Whether any namespace has a Workflow of this name."""
        return name in self._names

    def lookup(self, namespace: str, workflow: str) -> Definition | Unresolved:
        """What a run started now would be pinned to, or why it cannot start."""
        known = self.find(WORKFLOWS, namespace, workflow)
        if known is None:
            return Unresolved(Reason.WORKFLOW_NOT_FOUND, f"no Workflow named {workflow} in this namespace")
        found = self._resolution(known)
        return found if isinstance(found, Unresolved) else found.definition

    def judge(self, known: Known) -> DefinitionStatus:
        """The status that this definition ought to have."""
        if known.judged is None:
            known.judged = self._judge(known)
        return known.judged

    def _resolution(self, known: Known) -> Resolution | Unresolved:
        if known.resolved is None:
            try:
                known.resolved = resolution(known.name, known.spec, self._steps_of(known))
            except Exception as error:  # noqa: BLE001 whatever a person wrote, it must not be the end of who reads it
                message = f"Workflow {known.name} cannot be read: {error}"
                known.resolved = Unresolved(Reason.WORKFLOW_NOT_READY, message)
        return known.resolved

    def _judge(self, known: Known) -> DefinitionStatus:
        return self._judge_step(known) if known.plural == STEPS else self._judge_workflow(known)

    def _judge_workflow(self, known: Known) -> WorkflowStatus:
        before, found = _previous(WorkflowStatus, known.status), self._resolution(known)
        if isinstance(found, Unresolved):
            return self._unreadable(known, before, Reason.INVALID_WORKFLOW, found.message)
        return workflow_status(found, known.generation, before, self._now())

    def _judge_step(self, known: Known) -> DefinitionStatus:
        before = _previous(DefinitionStatus, known.status)
        try:
            return step_status(known.generation, known.spec, before, self._now())
        except Exception as error:  # noqa: BLE001 the same: it is told where the person looks
            return self._unreadable(known, before, Reason.INVALID_STEP, f"cannot be read: {error}")

    def _unreadable(self, known: Known, before: Status, reason: Reason, message: str) -> Status:
        log.warning("%s %s/%s: %s", known.plural, known.namespace, known.name, message)
        told = conditions_of(before, reason, message, known.generation, self._now())
        return type(before)(observed_generation=known.generation, conditions=told)

    def _steps_of(self, workflow: Known) -> dict[str, Any]:
        within = self._namespaces[workflow.namespace].steps
        return {name: within[name].spec for name in workflow.steps if name in within}

    def _changed(self, within: Namespace, known: Known) -> None:
        affected = [known]
        if known.plural == STEPS:
            affected += [workflow for workflow in within.workflows.values() if known.name in workflow.steps]
        for each in affected:
            each.judged = each.resolved = None
        for each in affected:
            self.on_change(each)


def _nobody(_: Known) -> None:
    """Listens until somebody else does."""


class DefinitionCache:
    """The definitions of one kind, as a list sees them."""

    def __init__(self, definitions: Definitions, plural: Plural) -> None:
        self._definitions = definitions
        self._plural = plural

    def observe(self, body: Object) -> None:
        """The API server says so; perhaps it is old news."""
        self._definitions.observe(self._plural, body)

    def forget(self, namespace: str, name: str, uid: str | None = None) -> None:
        """The definition was deleted."""
        self._definitions.forget(self._plural, namespace, name, uid)

    def is_news(self, metadata: Object) -> bool:
        """Whether this metadata belongs to an object that is not known as it is."""
        known = self._definitions.find(self._plural, metadata["namespace"], metadata["name"])
        return known is None or is_newer(version_of(metadata), known.version)

    def uids(self) -> dict[tuple[str, str], str]:
        """The uid of every known definition of this kind."""
        return {(each.namespace, each.name): each.uid for each in self._definitions if each.plural == self._plural}


def _known(plural: Plural, body: Object) -> Known:
    metadata, spec = body["metadata"], body.get("spec")
    return Known(
        plural=plural,
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        version=version_of(metadata),
        generation=metadata.get("generation", 0),
        spec=spec,
        status=body.get("status") or {},
        steps=_references(spec) if plural == WORKFLOWS else frozenset(),
    )


def _references(spec: Any) -> frozenset[str]:
    steps = spec.get("steps") if isinstance(spec, Mapping) else None
    names = (
        step["stepRef"].get("name")
        for step in (steps if isinstance(steps, list) else ())
        if isinstance(step, Mapping) and isinstance(step.get("stepRef"), Mapping)
    )
    return frozenset(name for name in names if isinstance(name, str))


def _previous(model: type[Status], document: Object) -> Status:
    try:
        return model.model_validate(document)
    except ValidationError:
        return model()  # nothing in it is worth keeping: it is computed anew
