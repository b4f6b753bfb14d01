"""The definitions that runs are pinned to: immutable ControllerRevisions, one per distinct content.

A revision is created before the status that names it is written, and never changed. What was seen once is kept in
memory, so that only a new definition costs a write and only the first run after a restart costs a read: when a thousand
runs need the same revision at once, one of them asks, and the others wait for what it learns.

A revision may have any size up to 900 KiB, and in memory it takes some ten times as much as its JSON text. So what is
remembered is bounded by number and by bytes; of what is too much, those go that were used the longest ago.
"""

import asyncio
from collections import OrderedDict
from typing import NamedTuple
from weakref import WeakValueDictionary

from pydantic import ValidationError

from flow_operator.api.meta import WORKFLOW_LABEL
from flow_operator.api.reasons import Reason
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.errors import ClusterError, Conflict, Gone, disposition
from flow_operator.reconciler.entry import packed
from flow_operator.reconciler.ports import REVISIONS, Cluster, Meter

REMEMBERED = 1000
REMEMBERED_BYTES = 8 * 1024 * 1024
"""Of JSON text, all together."""


class Remembered(NamedTuple):
    """What a revision holds."""

    definition: Definition
    size: int
    """Bytes of its JSON text."""


class Revisions:
    """Loads and stores revisions, remembering the ones used last."""

    def __init__(
        self, cluster: Cluster, meter: Meter, *, remembered: int = REMEMBERED, remembered_bytes: int = REMEMBERED_BYTES
    ) -> None:
        self._cluster = cluster
        self._meter = meter
        self._remembered = remembered
        self._remembered_bytes = remembered_bytes
        self._known: OrderedDict[tuple[str, str], Remembered] = OrderedDict()
        """The one used last is the last one."""
        self._bytes = 0
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
        for key, known in list(self._known.items()):
            if key[0] == namespace and known.definition.workflow == workflow:
                self._drop(key)

    async def _read(self, namespace: str, name: str) -> Definition | Unresolved:
        try:
            revision = await self._cluster.read(REVISIONS, namespace, name)
            document = revision["data"]["definition"]
            definition = Definition.model_validate(document)
        except Gone:
            return Unresolved(Reason.REVISION_NOT_FOUND, f"the ControllerRevision {name} is gone")
        except (KeyError, TypeError, ValidationError):
            return Unresolved(Reason.REVISION_NOT_FOUND, f"the ControllerRevision {name} holds no definition")
        self._remember(namespace, name, Remembered(definition, len(packed(document))))
        return definition

    async def _create(self, namespace: str, name: str, definition: Definition) -> None:
        document = definition.document()
        revision = {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {WORKFLOW_LABEL: definition.workflow},
            },
            "revision": 1,
            "data": {"definition": document},
        }
        try:
            await self._cluster.create(REVISIONS, namespace, revision)
            self._meter.status_write("stored")
        except ClusterError as error:
            self._meter.status_write(disposition(error).result)
            if not isinstance(error, Conflict):  # the same content has the same name: another run was first
                raise
        self._remember(namespace, name, Remembered(definition, len(packed(document))))

    def _one_asks(self, namespace: str, name: str) -> asyncio.Lock:
        """Held by whoever asks for this revision. If that fails, the next one asks."""
        return self._asking.setdefault((namespace, name), asyncio.Lock())

    def _recall(self, namespace: str, name: str) -> Definition | None:
        known = self._known.get((namespace, name))
        if known is None:
            return None
        self._known.move_to_end((namespace, name))
        return known.definition

    def _remember(self, namespace: str, name: str, known: Remembered) -> None:
        self._drop((namespace, name))
        self._known[namespace, name] = known
        self._bytes += known.size
        while len(self._known) > self._remembered or (self._bytes > self._remembered_bytes and len(self._known) > 1):
            self._drop(next(iter(self._known)))

    def _drop(self, key: tuple[str, str]) -> None:
        known = self._known.pop(key, None)
        self._bytes -= known.size if known is not None else 0
