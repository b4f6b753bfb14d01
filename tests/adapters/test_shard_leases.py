"""Several shards over several replicas: shared fairly, handed over without haste, and never acted for by two."""

import asyncio
import random
from collections.abc import Collection
from datetime import timedelta

import pytest
from tests.adapters.lease_stage import DURATION, Fleet, LeaseServer, Replica, story
from tests.reconciler.virtual_time import now, pass_time, run

from flow_operator.adapters.lease_facts import replica_lease
from flow_operator.adapters.leases import GRACE_SECONDS, KEEP_SECONDS, LOOK_AT, STALE_DURATIONS

LOOK = DURATION * LOOK_AT + 0.1


async def settled(fleet: Fleet, *sizes: int) -> float:
    """How long it takes until the shards are shared like this and all acted for."""
    return await fleet.until(lambda: fleet.sizes() == list(sizes) and fleet.covered(sum(sizes)))


def test_a_single_replica_acts_for_all_shards_at_once() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one", shards=8)
        assert await settled(fleet, 8) < 0.1
        assert one.acting == set(range(8))
        assert fleet.server.names == {
            "flow-operator-0",
            *(f"flow-operator-8-{shard}" for shard in range(1, 8)),
            replica_lease("one"),
        }

    story(told)


@pytest.mark.parametrize(("replicas", "shards", "sizes"), [(2, 4, (2, 2)), (3, 8, (3, 3, 2)), (3, 2, (1, 1))])
def test_replicas_that_start_together_share(replicas: int, shards: int, sizes: tuple[int, ...]) -> None:
    async def told(fleet: Fleet) -> None:
        fleet.start(*(f"r{number}" for number in range(replicas)), shards=shards)
        assert await settled(fleet, *sizes) < 3 * LOOK
        losses = [replica.losses for replica in fleet.replicas]
        await pass_time(300)
        assert fleet.sizes() == list(sizes)
        assert losses == [replica.losses for replica in fleet.replicas], "what is balanced stays as it is"

    story(told)


def test_a_replica_more_gets_its_share_as_soon_as_calls_in_flight_have_ended() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one", shards=4)
        await settled(fleet, 4)
        one.busy = dict.fromkeys(range(4), 3.0)
        fleet.start("two", shards=4)
        took = await settled(fleet, 2, 2)
        assert 3 <= took <= 3 + 2 * LOOK
        assert one.cut == set()
        assert one.acting == {0, 1}, "the fewest moves"

    story(told)


def test_a_shard_with_calls_in_flight_for_long_is_kept_and_goes_on() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one", shards=2)
        await settled(fleet, 2)
        one.busy[1] = 45.0
        two = fleet.start("two", shards=2)
        await fleet.until(lambda: one.draining == {1})
        await fleet.until(lambda: one.draining == set(), within=GRACE_SECONDS + 1)
        assert one.held == one.acting == {0, 1}
        one.busy[1] = 0.0
        assert await settled(fleet, 1, 1) <= KEEP_SECONDS + 2 * LOOK
        assert two.acting == {1}
        assert one.cut == set()

    story(told)


def test_a_shard_whose_calls_are_always_long_is_rarely_held_up() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one", shards=2)
        await settled(fleet, 2)
        drained = 0.0
        fleet.start("two", shards=2)
        for _ in range(1200):
            one.busy[1] = 1000.0
            await pass_time(1)
            drained += bool(one.draining)
        assert one.acting == {0, 1}
        assert drained <= 5 * GRACE_SECONDS

    story(told)


def test_what_a_killed_replica_held_is_taken_over_within_the_duration() -> None:
    async def told(fleet: Fleet) -> None:
        replicas = fleet.start("one", "two", "three", shards=8)
        await settled(fleet, 3, 3, 2)
        for number, victim in enumerate(replicas):
            await pass_time(7.3)
            await victim.die()
            assert await fleet.until(lambda: fleet.covered(8)) <= DURATION
            fleet.start(f"next-{number}", shards=8)
            await settled(fleet, 3, 3, 2)

    story(told)


def test_what_a_replica_gives_back_at_its_end_is_taken_at_once() -> None:
    async def told(fleet: Fleet) -> None:
        one, two = fleet.start("one", "two", shards=4)
        await settled(fleet, 2, 2)
        one.busy = dict.fromkeys(one.held, 2.0)
        ending = asyncio.create_task(one.stop())
        await pass_time(1)
        assert replica_lease("one") not in fleet.server.names
        await ending
        assert await settled(fleet, 4) <= LOOK
        assert one.cut == set()
        assert two.acting == {0, 1, 2, 3}

    story(told)


def test_a_replica_that_is_cut_off_lets_go_and_comes_back() -> None:
    async def told(fleet: Fleet) -> None:
        one, _ = fleet.start("one", "two", shards=4)
        await settled(fleet, 2, 2)
        one.line.up.clear()
        assert await fleet.until(lambda: fleet.covered(4) and not one.held) <= DURATION
        assert not one.acting
        await settled(fleet, 4)
        one.line.up.set()
        await settled(fleet, 2, 2)

    story(told)


def test_wall_clocks_that_jump_change_nothing() -> None:
    async def told(fleet: Fleet) -> None:
        jumps = [timedelta(), timedelta()]
        fleet.start("one", shards=4, wall=lambda: now() + jumps[0])
        fleet.start("two", shards=4, wall=lambda: now() + jumps[1])
        await settled(fleet, 2, 2)
        losses = [replica.losses for replica in fleet.replicas]
        for jumps[0], jumps[1] in ((timedelta(days=2), timedelta(days=-2)), (timedelta(days=-9), timedelta())):
            await pass_time(60)
            assert fleet.sizes() == [2, 2]
        assert losses == [replica.losses for replica in fleet.replicas]

    story(told)


def test_what_an_idle_fleet_writes() -> None:
    """One renewal each third of the duration for each shard and for each replica, and nothing else."""

    async def told(fleet: Fleet) -> None:
        fleet.start("one", "two", "three", shards=8)
        await settled(fleet, 3, 3, 2)
        fleet.server.writes = 0
        await pass_time(20 * DURATION)
        assert 0.75 * 20 * 3 * (8 + 3) <= fleet.server.writes <= 20 * 3 * (8 + 3) + 11

    story(told)


def test_what_replicas_leave_behind_is_deleted_in_the_end() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one", shards=4)
        await settled(fleet, 4)
        await one.die()
        two = fleet.start("two", shards=2)
        await settled(fleet, 2)
        assert replica_lease("one") in fleet.server.names
        await pass_time((STALE_DURATIONS + 1) * DURATION)
        assert fleet.server.names == {"flow-operator-0", "flow-operator-2-1", replica_lease("two")}
        assert two.losses == 0

    story(told)


def test_replicas_with_another_number_of_shards_wait_until_nobody_else_acts() -> None:
    async def told(fleet: Fleet) -> None:
        old = fleet.start("old-1", "old-2", shards=4)
        await settled(fleet, 2, 2)
        fleet.start("new-1", "new-2", shards=8)
        await pass_time(60)
        assert fleet.sizes() == [2, 2]
        await old[0].stop()
        assert await settled(fleet, 4) <= LOOK
        await pass_time(30)
        await old[1].stop()
        assert await settled(fleet, 4, 4) <= 4 * LOOK

    story(told)


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1), (4, 8)])
def test_a_number_of_shards_that_changes_with_a_crash_takes_the_duration(before: int, after: int) -> None:
    async def told(fleet: Fleet) -> None:
        old = fleet.start("old", shards=before)
        await settled(fleet, before)
        new = fleet.start("new", shards=after)
        await pass_time(30)
        await old.die()
        assert await fleet.until(lambda: new.held == set(range(after))) <= DURATION

    story(told)


def test_of_two_numbers_of_shards_that_start_together_one_wins() -> None:
    async def told(fleet: Fleet) -> None:
        fleet.start("one", shards=4)
        fleet.start("two", shards=8)
        await fleet.until(lambda: sum(fleet.sizes()) in (4, 8))
        sizes = fleet.sizes()
        await pass_time(120)
        assert fleet.sizes() == sizes

    story(told)


def test_when_another_number_of_shards_is_in_force_what_is_left_of_mine_is_given_up() -> None:
    """The lease of shard 0 is taken by a replica of a version that knows nothing but that lease."""

    async def told(fleet: Fleet) -> None:
        one = fleet.start("one", shards=4)
        await settled(fleet, 4)
        one.busy = {2: 100.0}
        lease = fleet.server.objects["leases", "flow", "flow-operator-0"]
        lease["spec"] |= {"holderIdentity": "previous", "leaseDurationSeconds": 60}
        del lease["metadata"]["labels"]
        lease["metadata"]["resourceVersion"] = "9999"
        assert await fleet.until(lambda: one.acting == {2}) <= LOOK
        assert await fleet.until(lambda: not one.acting) <= GRACE_SECONDS + LOOK
        assert one.cut == {2}
        await settled(fleet, 4)

    story(told)


class Chaos:
    """Replicas come, are killed, end, are cut off and come back, at random."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self.fleet = fleet
        self.random = random.Random(seed)
        self.alive: list[Replica] = []
        self.ending: set[asyncio.Task[None]] = set()

    def add(self, shards: int) -> None:
        replica = self.fleet.start(f"replica-{len(self.fleet.replicas)}", shards=shards)
        replica.busy = {shard: self.random.choice([0.0, 0.0, 1.0, 30.0]) for shard in range(shards)}
        self.alive.append(replica)

    async def strike(self) -> None:
        victim = self.alive.pop(self.random.randrange(len(self.alive)))
        match self.random.randrange(3):
            case 0:
                await victim.die()
            case 1:
                self.ending.add(asyncio.create_task(victim.stop()))
            case _:
                victim.line.up.clear()
                asyncio.get_running_loop().call_later(self.random.uniform(0, 30), victim.line.up.set)
                self.alive.append(victim)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_no_two_replicas_act_for_one_shard_and_in_the_end_all_is_shared(seed: int) -> None:
    async def told(fleet: Fleet) -> None:
        chaos = Chaos(fleet, seed)
        for _ in range(3):
            chaos.add(4)
        for _ in range(15):
            await pass_time(chaos.random.uniform(0, 20))
            await chaos.strike()
            while len(chaos.alive) < 3:
                chaos.add(chaos.random.choice([1, 4, 4, 8]))
        while chaos.alive:
            await chaos.alive.pop().die()
        for _ in range(3):
            chaos.add(8)
        assert await settled(fleet, 3, 3, 2) <= GRACE_SECONDS + 2 * DURATION + KEEP_SECONDS

    story(told)


def test_a_hand_over_that_fails_as_nobody_foresaw_ends_the_replica() -> None:
    class Mistaken(Replica):
        async def drain(self, _shards: Collection[int], _grace: float) -> bool:
            raise RuntimeError("a mistake")

    async def told() -> set[int]:
        replica = Mistaken(Fleet(LeaseServer()), "one")
        while not replica.held:
            await pass_time(0.05)
        await replica.leases.leave()
        with pytest.raises(RuntimeError, match="a mistake"):
            await replica.task
        return replica.acting

    assert run(told()) == set(), "it has ceased to act"
