"""An API server in memory: resourceVersions, uids, conflicts, a watch; and faults on demand. It keeps a journal."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from tests.reconciler.virtual_time import pass_time

from flow_operator.engine.errors import Conflict, Gone, Unavailable

Object = dict[str, Any]
Key = tuple[str, str, str]

LATENCY = 0.003
WATCH_LATENCY = 0.001


class Fault:
    """What happens instead of the next answer: the error, after the request was done or without it."""

    def __init__(self, error: Exception, *, done: bool = False) -> None:
        self.error = error
        self.done = done


class FakeCluster:
    """The methods of the port, and those by which a test is the rest of the world."""

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal
        self.objects: dict[Key, Object] = {}
        self.away = False
        self.refuses: dict[str, Exception] = {}
        """What no status of an object of this name gets past."""
        self.hanging: set[str] = set()
        """Namespaces in which no status is ever written."""
        self.watch: Callable[[str, str, Object], None] = lambda *_: None
        self.watching = True
        self._version = 100
        self._faults: dict[str, list[Fault]] = {}

    # What the operator does

    async def read(self, plural: str, namespace: str, name: str) -> Object:
        """The object as it is now."""
        return await self._answer("read", lambda: _copy(self._existing((plural, namespace, name))))

    async def write_status(
        self, plural: str, namespace: str, name: str, uid: str, version: str, status: Object
    ) -> Object:
        """Compare and swap the status."""

        def write() -> Object:
            found = self._existing((plural, namespace, name))
            metadata = found["metadata"]
            if (metadata["uid"], metadata["resourceVersion"]) != (uid, version):
                self.journal.append(f"refused {name}")
                raise Conflict("409")
            if name in self.refuses:
                self.journal.append(f"refused {name}")
                raise self.refuses[name]
            self.journal.append(f"write {name} {summary(plural, status)}")
            return self._store((plural, namespace, name), found | {"status": _copy(status)})

        if namespace in self.hanging:
            await asyncio.Event().wait()
        return await self._answer("write", write)

    async def patch(self, plural: str, namespace: str, name: str, patch: Object) -> Object:
        """Merge annotations."""

        def merge() -> Object:
            found = self._existing((plural, namespace, name))
            wanted = patch["metadata"].get("resourceVersion")
            if wanted not in (None, found["metadata"]["resourceVersion"]):
                self.journal.append(f"refused {name}")
                raise Conflict("409")
            self.journal.append(f"patch {name}")
            return self.annotate(name, patch["metadata"]["annotations"], plural=plural, namespace=namespace)

        return await self._answer("patch", merge)

    async def create(self, plural: str, namespace: str, document: Object) -> Object:
        """Create the object."""

        def add() -> Object:
            name = document["metadata"]["name"]
            if (plural, namespace, name) in self.objects:
                raise Conflict("409 AlreadyExists")
            self.journal.append(f"create {plural}")
            return self.add(plural, name, _copy(document), namespace=namespace)

        return await self._answer("create", add)

    async def pages(self, plural: str, *, metadata_only: bool) -> AsyncIterator[list[Object]]:
        """Two objects a page."""
        await self._answer("list", dict)
        found = [_copy(each) for (of, _, _), each in self.objects.items() if of == plural]
        for first in range(0, len(found), 2):
            page = found[first : first + 2]
            yield [{"metadata": each["metadata"]} for each in page] if metadata_only else page

    # What the rest of the world does

    def add(self, plural: str, name: str, fields: Object, namespace: str = "shop") -> Object:
        """Create an object, whole."""
        key = (plural, namespace, name)
        metadata = {"name": name, "namespace": namespace, "generation": 1, "uid": str(UUID(int=self._version))}
        return self._store(key, {**fields, "metadata": {**(fields.get("metadata") or {}), **metadata}}, "ADDED")

    def change(self, plural: str, name: str, spec: Object, namespace: str = "shop") -> None:
        """Write another spec."""
        found = self._existing((plural, namespace, name))
        found["metadata"]["generation"] += 1
        self._store((plural, namespace, name), found | {"spec": spec})

    def overwrite(self, plural: str, name: str, status: Object, namespace: str = "shop") -> None:
        """Write another status, which is for the operator alone to write."""
        self._store((plural, namespace, name), self._existing((plural, namespace, name)) | {"status": status})

    def annotate(
        self,
        name: str,
        annotations: dict[str, str | None],
        *,
        plural: str = "workflowexecutions",
        namespace: str = "shop",
    ) -> Object:
        """Merge annotations; None removes one."""
        found = self._existing((plural, namespace, name))
        merged = {**(found["metadata"].get("annotations") or {}), **annotations}
        found["metadata"]["annotations"] = {key: value for key, value in merged.items() if value is not None}
        return self._store((plural, namespace, name), found)

    def delete(self, plural: str, name: str, namespace: str = "shop") -> None:
        """Delete the object."""
        found = self.objects.pop((plural, namespace, name))
        self._version += 1
        found["metadata"]["resourceVersion"] = str(self._version)
        self._tell(plural, "DELETED", found)

    def fail(self, operation: str, *faults: Fault) -> None:
        """The next requests of this kind end like this."""
        self._faults.setdefault(operation, []).extend(faults)

    def status(self, name: str, plural: str = "workflowexecutions", namespace: str = "shop") -> Object:
        """The status that is stored."""
        status: Object = self.objects[plural, namespace, name].get("status") or {}
        return status

    def __getitem__(self, name: str) -> Object:
        return self.objects["workflowexecutions", "shop", name]

    async def _answer(self, operation: str, act: Callable[[], Object]) -> Object:
        await pass_time(LATENCY / 2)
        if self.away:
            raise Unavailable("the API server is away")
        faults = self._faults.get(operation)
        fault = faults.pop(0) if faults else None
        answer = act() if fault is None or fault.done else {}
        await pass_time(LATENCY / 2)
        if fault is not None:
            self.journal.append(f"{operation} fails: {type(fault.error).__name__}")
            raise fault.error
        return answer

    def _existing(self, key: Key) -> Object:
        if key not in self.objects:
            raise Gone("404")
        return self.objects[key]

    def _store(self, key: Key, fields: Object, change: str = "MODIFIED") -> Object:
        self._version += 1
        fields["metadata"]["resourceVersion"] = str(self._version)
        self.objects[key] = fields
        self._tell(key[0], change, fields)
        metadata: Object = _copy(fields["metadata"])
        return metadata

    def _tell(self, plural: str, change: str, fields: Object) -> None:
        if self.watching and plural != "controllerrevisions":
            asyncio.get_running_loop().call_later(WATCH_LATENCY, self.watch, plural, change, _copy(fields))


def summary(plural: str, status: Object) -> str:
    """A status in one line: the phase of the run, and the steps that are not Pending."""
    if plural != "workflowexecutions":
        return next((each["reason"] for each in status.get("conditions", ()) if each["type"] == "Ready"), "?")
    steps = [f"{step['id']}:{step['phase']}" for step in status.get("steps", ()) if step["phase"] != "Pending"]
    undone = [f"{s['id']}:{s['compensation']['phase']}" for s in status.get("steps", ()) if s.get("compensation")]
    return " ".join([status["phase"], *steps, *(f"undo:{each}" for each in undone)])


def _copy(value: Object) -> Object:
    copied: Object = json.loads(json.dumps(value))
    return copied
