"""The requests that leases need: list them all, compare and swap one, give one back, delete one."""

import asyncio
import logging
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from flow_operator.adapters.lease_facts import SHARDS_LABEL, Lease, read
from flow_operator.engine.errors import ClusterError, Conflict, Forbidden, Gone

log = logging.getLogger(__name__)

LEASES = "leases"
RELEASE_SECONDS = 3.0

Object = dict[str, Any]


class Server(Protocol):
    """The part of the API server that is needed here."""

    async def list_all(self, plural: str, namespace: str) -> list[Object]:
        """All leases of the namespace."""
        ...

    async def read(self, plural: str, namespace: str, name: str) -> Object:
        """The lease."""
        ...

    async def create(self, plural: str, namespace: str, document: Object) -> Object:
        """Create it; Conflict if somebody was faster."""
        ...

    async def replace(self, plural: str, namespace: str, name: str, document: Object) -> Object:
        """Compare and swap it."""
        ...

    async def delete(self, plural: str, namespace: str, name: str, uid: str, version: str) -> None:
        """Delete it as it is; Conflict if it is not so any more."""
        ...


class LeaseStore:
    """The leases of a namespace, in the hands of one replica."""

    def __init__(
        self,
        server: Server,
        *,
        namespace: str,
        identity: str,
        shards: int,
        duration: float,
        now: Callable[[], datetime],
    ) -> None:
        self._server = server
        self._namespace = namespace
        self._identity = identity
        self._shards = shards
        self._duration = duration
        self._now = now

    async def all(self) -> dict[str, Lease]:
        """All that are ours, by name. Raises a ClusterError."""
        documents = await self._server.list_all(LEASES, self._namespace)
        return {lease.name: lease for lease in map(read, documents) if lease is not None}

    async def take(self, name: str, seen: Lease | None) -> bool:
        """Take, or renew, a lease as it was seen; False if that is not known to have been done."""
        document = self._taken(name, seen)
        try:
            if seen is None:
                await self._server.create(LEASES, self._namespace, document)
            else:
                await self._server.replace(LEASES, self._namespace, name, document)
        except (Conflict, Gone):
            return False
        except ClusterError as error:
            self._complain(name, error)
            return False
        return True

    async def give_back(self, name: str) -> None:
        """Let others have it at once; as well as it can be done within three seconds."""
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                while not await self._is_given_back(name):
                    pass  # a renewal that was on its way came in between
        except (ClusterError, TimeoutError) as error:
            self._complain(name, error)

    async def delete(self, name: str) -> None:
        """Delete it, if there is one; as well as it can be done within three seconds."""
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                metadata = (await self._server.read(LEASES, self._namespace, name))["metadata"]
                await self._server.delete(LEASES, self._namespace, name, metadata["uid"], metadata["resourceVersion"])
        except Gone:
            return
        except (ClusterError, TimeoutError) as error:
            self._complain(name, error)

    async def clean(self, lease: Lease) -> None:
        """Delete it, unless it has been used since it was seen."""
        uid = lease.document["metadata"]["uid"]
        try:
            await self._server.delete(LEASES, self._namespace, lease.name, uid, lease.version)
        except (Conflict, Gone):
            return  # it is in use again, or somebody else was faster
        except ClusterError as error:
            self._complain(lease.name, error)

    async def _is_given_back(self, name: str) -> bool:
        lease = await self._server.read(LEASES, self._namespace, name)
        if (lease.get("spec") or {}).get("holderIdentity") != self._identity:
            return True
        lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
        try:
            await self._server.replace(LEASES, self._namespace, name, lease)
        except Conflict:
            return False
        return True

    def _taken(self, name: str, seen: Lease | None) -> Object:
        now = self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {} if seen is None else dict(seen.document.get("spec") or {})
        if spec.get("holderIdentity") != self._identity:
            spec |= {"acquireTime": now, "leaseTransitions": spec.get("leaseTransitions", -1) + 1}
        spec |= {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": math.ceil(self._duration),
            "renewTime": now,
        }
        metadata: Object = {"name": name, "namespace": self._namespace, "labels": {SHARDS_LABEL: str(self._shards)}}
        if seen is not None:
            metadata["resourceVersion"] = seen.version
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}

    def _complain(self, name: str, error: Exception) -> None:
        log.warning("lease %s/%s: %s", self._namespace, name, self.complaint(error))

    def complaint(self, error: Exception) -> str:
        """What is wrong, and the way out where a person has to take it."""
        if isinstance(error, Forbidden):
            return f"{error}; a Role for leases is needed in {self._namespace}, the namespace in FLOW_LEASE_NAMESPACE"
        return str(error) or "no response in time"
