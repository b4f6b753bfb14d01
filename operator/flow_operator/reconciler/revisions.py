"""The definitions that runs are pinned to: immutable ControllerRevisions, one per distinct content.

A revision is created before the status that names it is written, and never changed. What was seen once is kept in
memory, so that only a new definition costs a write and only the first run after a restart costs a read: when a thousand
runs need the same revision at once, one of them asks, and the others wait for what it learns.
"""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from weakref import WeakValueDictionary

from pydantic import ValidationError

from flow_operator.api.meta import WORKFLOW_LABEL
from flow_operator.api.reasons import Reason
from flow_operator.engine.contract import Unresolved
from flow_operator.engine.definition import Definition
from flow_operator.engine.errors import Conflict, Gone
from flow_operator.reconciler.ports import REVISIONS, Cluster

REMEMBERED = 1000


class Revisions:
    """Loads and stores revisions, remembering the ones used last."""

    def __init__(self, cluster: Cluster, remembered: int = REMEMBERED) -> None:
        self._cluster = cluster
        self._remembered = remembered
        self._known: OrderedDict[tuple[str, str], Definition] = OrderedDict()
        self._asking: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def load(self, namespace: str, name: str) -> Definition | Unresolved:
        """The definition that this revision holds, or why there is none. Raises Unavailable."""
        if (known := self._recall(namespace, name)) is not None:
            return known
        async with self._one_asks(namespace, name):
            return self._recall(namespace, name) or await self._read(namespace, name)

    async def ensure(self, namespace: str, definition: Definition) -> None:
        """See to it that the revision of this definition is stored. Raises a ClusterError if that is not known."""
        name = definition.revision
        if self._recall(namespace, name) is not None:
            return
        async with self._one_asks(namespace, name):
            if self._recall(namespace, name) is None:
                await self._create(namespace, name, definition)

    def forget(self, namespace: str, workflow: str) -> None:
        """The Workflow was deleted, perhaps with its whole namespace and all the revisions in it."""
        for key in [key for key, known in self._known.items() if key[0] == namespace and known.workflow == workflow]:
            del self._known[key]

    async def _read(self, namespace: str, name: str) -> Definition | Unresolved:
        try:
            revision = await self._cluster.read(REVISIONS, namespace, name)
            definition = Definition.model_validate(revision["data"]["definition"])
        except Gone:
            return Unresolved(Reason.REVISION_NOT_FOUND, f"the ControllerRevision {name} is gone")
        except (KeyError, TypeError, ValidationError):
            return Unresolved(Reason.REVISION_NOT_FOUND, f"the ControllerRevision {name} holds no definition")
        self._remember(namespace, name, definition)
        return definition

    async def _create(self, namespace: str, name: str, definition: Definition) -> None:
        document = {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {WORKFLOW_LABEL: definition.workflow},
            },
            "revision": 1,
            "data": {"definition": definition.document()},
        }
        with suppress(Conflict):  # the same content has the same name: another run was first
            await self._cluster.create(REVISIONS, namespace, document)
        self._remember(namespace, name, definition)

    def _one_asks(self, namespace: str, name: str) -> asyncio.Lock:
        """Held by whoever asks for this revision. If that fails, the next one asks."""
        return self._asking.setdefault((namespace, name), asyncio.Lock())

    def _recall(self, namespace: str, name: str) -> Definition | None:
        known = self._known.get((namespace, name))
        if known is not None:
            self._known.move_to_end((namespace, name))
        return known

    def _remember(self, namespace: str, name: str, definition: Definition) -> None:
        self._known[namespace, name] = definition
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)
