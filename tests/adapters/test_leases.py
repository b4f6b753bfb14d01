"""Who holds the lease, and above all: that two never believe it at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.reconciler.fake_cluster import FakeCluster
from tests.reconciler.virtual_time import now, pass_time, run

from flow_operator.adapters.leases import STOP_AT, Lease

DURATION = 15.0


class LeaseServer(FakeCluster):
    """The fake API server, with the one request that only leases make, and a way to cut one replica off."""

    def __init__(self) -> None:
        super().__init__([])
        self.hang = asyncio.Event()
        self.hang.set()

    async def replace(self, plural: str, namespace: str, name: str, document: dict[str, Any]) -> dict[str, Any]:
        """Compare and swap the whole lease."""
        await self.hang.wait()
        found = await self.read(plural, namespace, name)
        wanted = document["metadata"]["resourceVersion"]

        def swap() -> dict[str, Any]:
            assert found["metadata"]["resourceVersion"] == wanted, "a conflict that this test does not have"
            return self._store((plural, namespace, name), found | {"spec": document["spec"]})

        return await self._answer("replace", swap)

    @property
    def spec(self) -> dict[str, Any]:
        """What the lease says."""
        spec: dict[str, Any] = self.objects["leases", "flow", "flow-operator-0"]["spec"]
        return spec


class Replica:
    """One process, and whether it believes that it may act."""

    def __init__(self, server: LeaseServer, identity: str) -> None:
        self.acting = False
        self.lease = Lease(
            server,
            namespace="flow",
            name="flow-operator-0",
            identity=identity,
            duration=DURATION,
            on_gain=self._gain,
            on_loss=self._lose,
            now=now,
            monotonic=lambda: asyncio.get_running_loop().time(),
        )
        self.task = asyncio.create_task(self.lease.run())

    def _gain(self) -> None:
        self.acting = True

    async def _lose(self) -> None:
        self.acting = False

    async def die(self) -> None:
        """SIGKILL: nothing is given back."""
        self.task.cancel()
        await asyncio.wait([self.task])

    async def stop(self) -> None:
        """SIGTERM."""
        await self.die()
        await self.lease.release()


async def seconds_until(holds: Callable[[], bool]) -> float:
    """How long it takes until this holds."""
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(600):
        while not holds():
            await pass_time(0.05)
    return asyncio.get_running_loop().time() - began


def story(told: Callable[[LeaseServer], Awaitable[None]]) -> None:
    """Tell it in virtual time."""

    async def tell() -> None:
        await told(LeaseServer())

    run(tell())


def test_the_first_gets_it_at_once_and_keeps_it() -> None:
    async def told(server: LeaseServer) -> None:
        one = Replica(server, "one")
        assert await seconds_until(lambda: one.acting) < 0.1
        versions = set()
        for _ in range(100):
            await pass_time(1)
            assert one.acting
            assert one.lease.held
            versions.add(server.spec["renewTime"])
        assert 18 <= len(versions) <= 21, "renewed each third of the duration"
        assert server.spec["holderIdentity"] == "one"
        assert server.spec["leaseDurationSeconds"] == 15
        assert server.spec["leaseTransitions"] == 0
        await one.stop()

    story(told)


def test_a_standby_waits_a_whole_duration_after_the_holder_went_away() -> None:
    async def told(server: LeaseServer) -> None:
        one = Replica(server, "one")
        await seconds_until(lambda: one.acting)
        two = Replica(server, "two")
        await pass_time(60)
        assert not two.acting
        await one.die()
        assert 10 <= await seconds_until(lambda: two.acting) <= DURATION + 5
        assert server.spec["leaseTransitions"] == 1
        await two.stop()

    story(told)


def test_a_lease_that_was_given_back_is_taken_up_soon() -> None:
    async def told(server: LeaseServer) -> None:
        one, two = Replica(server, "one"), Replica(server, "two")
        await seconds_until(lambda: one.acting)
        await one.stop()
        assert server.spec["holderIdentity"] == ""
        assert await seconds_until(lambda: two.acting) <= 2.1
        await two.stop()

    story(told)


def test_a_restart_under_the_same_identity_takes_it_back_at_once() -> None:
    async def told(server: LeaseServer) -> None:
        one = Replica(server, "one")
        await seconds_until(lambda: one.acting)
        await one.die()
        again = Replica(server, "one")
        assert await seconds_until(lambda: again.acting) < 0.1
        await again.stop()

    story(told)


@pytest.mark.parametrize("away", ["hangs", "fails"])
def test_a_holder_that_cannot_renew_stops_before_another_can_begin(away: str) -> None:
    async def told(server: LeaseServer) -> None:
        one = Replica(server, "one")
        await seconds_until(lambda: one.acting)
        if away == "hangs":
            server.hang.clear()
        else:
            server.away = True
        took = await seconds_until(lambda: not one.acting)
        assert DURATION * (STOP_AT - 0.35) <= took <= DURATION * STOP_AT + 0.1
        assert not one.lease.held
        server.away = False
        server.hang.set()
        assert await seconds_until(lambda: one.acting) < 3
        await one.stop()

    story(told)


def test_a_renewal_that_fails_now_and_then_is_no_loss() -> None:
    async def told(server: LeaseServer) -> None:
        one = Replica(server, "one")
        await seconds_until(lambda: one.acting)
        for _ in range(10):
            server.away = True
            await pass_time(6)
            assert one.acting
            server.away = False
            await pass_time(6)
            assert one.acting
        await one.stop()

    story(told)


def test_a_process_that_was_frozen_lets_go_before_it_begins_anew() -> None:
    async def told(server: LeaseServer) -> None:
        losses = []
        one = Replica(server, "one")
        await seconds_until(lambda: one.acting)
        lose = one.lease._on_loss

        async def noted() -> None:
            losses.append(asyncio.get_running_loop().time())
            await lose()

        one.lease._on_loss = noted
        one.lease._until = 0.0  # as if the clock had gone on while nothing else did
        assert not one.lease.held
        await seconds_until(lambda: bool(losses))
        await seconds_until(lambda: one.acting)
        assert one.lease.held
        await one.stop()

    story(told)


def test_giving_it_back_to_an_api_server_that_is_away_does_not_hold_up_the_end() -> None:
    async def told(server: LeaseServer) -> None:
        one = Replica(server, "one")
        await seconds_until(lambda: one.acting)
        server.hang.clear()
        began = asyncio.get_running_loop().time()
        await one.stop()
        assert asyncio.get_running_loop().time() - began <= 3.1

    story(told)


def test_an_error_is_not_the_end_of_striving() -> None:
    async def told(server: LeaseServer) -> None:
        server.away = True
        one = Replica(server, "one")
        await pass_time(30)
        assert not one.acting
        server.away = False
        await seconds_until(lambda: one.acting)
        await one.stop()

    story(told)
