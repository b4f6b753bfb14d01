"""Replicas that strive for leases, before a fake API server and in virtual time; never do two act for one shard."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any, cast

from tests.reconciler.fake_cluster import FakeCluster
from tests.reconciler.virtual_time import now, pass_time, run

from flow_operator.adapters.lease_store import Server
from flow_operator.adapters.leases import ShardLeases
from flow_operator.engine.errors import Conflict

DURATION = 15.0
NAMESPACE = "flow"


class LeaseServer(FakeCluster):
    """The fake API server, with the requests that only leases make, and a way to make it hang."""

    def __init__(self) -> None:
        super().__init__([])
        self.hang = asyncio.Event()
        self.hang.set()
        self.writes = 0

    async def list_all(self, plural: str, namespace: str) -> list[dict[str, Any]]:
        """All of a namespace."""
        await self.hang.wait()
        found = await self._answer(
            "list_all",
            lambda: {"items": [each for key, each in self.objects.items() if key[:2] == (plural, namespace)]},
        )
        return [_copy(each) for each in found["items"]]

    async def create(self, plural: str, namespace: str, document: dict[str, Any]) -> dict[str, Any]:
        """Create a lease."""
        await self.hang.wait()
        self.writes += 1
        return await super().create(plural, namespace, document)

    async def replace(self, plural: str, namespace: str, name: str, document: dict[str, Any]) -> dict[str, Any]:
        """Compare and swap the whole lease."""
        await self.hang.wait()
        self.writes += 1

        def swap() -> dict[str, Any]:
            found = self._unchanged(plural, namespace, name, document["metadata"]["resourceVersion"])
            labels = document["metadata"].get("labels") or {}
            metadata = found["metadata"] | {"labels": labels}
            return self._store((plural, namespace, name), {"metadata": metadata, "spec": document["spec"]})

        return await self._answer("replace", swap)

    async def delete(self, plural: str, namespace: str, name: str, uid: str, version: str) -> None:  # type: ignore[override]
        """Delete it as it is."""
        await self.hang.wait()
        self.writes += 1

        def away() -> dict[str, Any]:
            assert self._unchanged(plural, namespace, name, version)["metadata"]["uid"] == uid
            return self.objects.pop((plural, namespace, name))

        await self._answer("delete", away)

    def _unchanged(self, plural: str, namespace: str, name: str, version: str) -> dict[str, Any]:
        found = self._existing((plural, namespace, name))
        if found["metadata"]["resourceVersion"] != version:
            raise Conflict("409")
        return found

    @property
    def names(self) -> set[str]:
        """The leases that there are."""
        return {name for _, _, name in self.objects}

    def spec(self, name: str = "flow-operator-0") -> dict[str, Any]:
        """What a lease says."""
        spec: dict[str, Any] = self.objects["leases", NAMESPACE, name]["spec"]
        return spec


class Line:
    """What connects one replica with the API server; it can be cut."""

    def __init__(self, server: LeaseServer) -> None:
        self._server = server
        self.up = asyncio.Event()
        self.up.set()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def send(*arguments: Any) -> Any:
            await self.up.wait()
            return await getattr(self._server, name)(*arguments)

        return send


class Replica:
    """One process, and the shards that it acts for."""

    def __init__(
        self, fleet: "Fleet", identity: str, shards: int = 1, wall: Callable[[], datetime] = now, skew: float = 0.0
    ) -> None:
        self.identity = identity
        self.shards = shards
        self.acting: set[int] = set()
        self.draining: set[int] = set()
        self.busy: dict[int, float] = {}
        """How long the calls in flight of a shard take until they have ended."""
        self.cut: set[int] = set()
        """Shards that were let go while calls of theirs were in flight."""
        self.losses = 0
        """How often it let go of anything."""
        self.line = Line(fleet.server)
        self.leases = ShardLeases(
            cast(Server, self.line),
            self,
            namespace=NAMESPACE,
            identity=identity,
            shards=shards,
            duration=DURATION,
            now=wall,
            monotonic=lambda: asyncio.get_running_loop().time() + skew,
        )
        self.task = asyncio.create_task(self.leases.run())

    def start_acting(self, shards: Collection[int]) -> None:
        self.acting |= set(shards)
        self.draining -= set(shards)

    async def stop_acting(self, shards: Collection[int]) -> None:
        self.losses += 1
        self.cut |= {shard for shard in shards if self.busy.get(shard)}
        self.acting -= set(shards)
        self.draining -= set(shards)

    async def drain(self, shards: Collection[int], grace: float) -> bool:
        self.draining |= set(shards)
        left = max(self.busy.get(shard, 0.0) for shard in shards)
        await pass_time(min(left, grace))
        for shard in shards:
            self.busy[shard] = max(0.0, left - grace)
        return left <= grace

    @property
    def held(self) -> set[int]:
        """What it may act for at this moment."""
        return {shard for shard in range(self.shards) if self.leases.is_held(shard)}

    async def die(self) -> None:
        """SIGKILL: nothing is given back."""
        self.task.cancel()
        await asyncio.wait([self.task])

    async def stop(self) -> None:
        """SIGTERM."""
        await self.leases.leave()
        await self.die()


class Fleet:
    """All replicas that ever were, and the one thing that must never be."""

    def __init__(self, server: LeaseServer) -> None:
        self.server = server
        self.replicas: list[Replica] = []

    def start(self, *identities: str, shards: int = 1, **how: Any) -> Any:
        """Start replicas; one, or a list of them."""
        started = [Replica(self, identity, shards, **how) for identity in identities]
        self.replicas += started
        return started[0] if len(started) == 1 else started

    def check(self) -> None:
        """At most one replica acts for a shard, and all that act mean the same by a shard."""
        acting = [(replica, replica.held & replica.acting) for replica in self.replicas if replica.held]
        assert len({replica.shards for replica, _ in acting}) <= 1, "two numbers of shards at once"
        for number, (one, shards) in enumerate(acting):
            for other, others in acting[number + 1 :]:
                assert not shards & others, f"{one.identity} and {other.identity} act for {shards & others}"

    async def watch(self) -> None:
        """Check all the time."""
        while True:
            self.check()
            await pass_time(0.02)

    async def until(self, holds: Callable[[], bool], within: float = 600.0) -> float:
        """How long it takes until this holds."""
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(within):
            while not holds():
                await pass_time(0.05)
        return asyncio.get_running_loop().time() - began

    def covered(self, shards: int) -> bool:
        """Whether somebody acts for each shard."""
        return set().union(*(replica.held for replica in self.replicas)) == set(range(shards))

    def sizes(self) -> list[int]:
        """How many shards the replicas hold, of those that hold any, largest first."""
        return sorted((len(replica.held) for replica in self.replicas if replica.held), reverse=True)


def story(told: Callable[[Fleet], Awaitable[None]]) -> None:
    """Tell it in virtual time; nothing of it may be an error, and no two replicas may act for one shard."""

    async def tell() -> None:
        fleet = Fleet(LeaseServer())
        watch = asyncio.create_task(fleet.watch())
        story = asyncio.ensure_future(told(fleet))
        await asyncio.wait((watch, story), return_when=asyncio.FIRST_COMPLETED)
        watch.cancel()
        story.cancel()
        for task in (watch, story):
            if task.done() and not task.cancelled():
                task.result()
        await asyncio.wait((watch, story))
        if not story.cancelled():
            story.result()
        for replica in fleet.replicas:
            await replica.die()
            assert replica.task.cancelled()

    run(tell())


def _copy(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "metadata": dict(value["metadata"]), "spec": dict(value["spec"])}
