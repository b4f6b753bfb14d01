"""Each shard begins, drains and ends for itself; together the replicas do every run once."""

from collections import Counter
from uuid import UUID

from tests.reconciler.stage import Stage, answer, step
from tests.reconciler.virtual_time import pass_time, run

from flow_operator.reconciler.shards import shard_of

RUNS = [f"run-{number}" for number in range(40)]


def shard_of_run(stage: Stage, name: str) -> int:
    """Where the run belongs."""
    return shard_of(stage.cluster[name]["metadata"]["uid"], len(stage.shards))


def test_the_shard_of_an_object_is_the_same_in_every_version() -> None:
    uids = ["00000000-0000-0000-0000-000000000000", "f47ac10b-58cc-4372-a567-0e02b2c3d479"]
    assert [shard_of(uid, 64) for uid in uids] == [9, 11]
    assert [shard_of(uid, 1) for uid in uids] == [0, 0]


def test_shards_are_of_about_the_same_size() -> None:
    sizes = Counter(shard_of(str(UUID(int=number * 0x9E3779B97F4A7C15 % 2**128)), 8) for number in range(8000))
    assert set(sizes) == set(range(8))
    assert all(800 < size < 1200 for size in sizes.values())


async def two_replicas() -> tuple[Stage, Stage]:
    """Both know everything; the first acts for the shards 0 and 1, the second for 2 and 3."""
    one = Stage(shards=4)
    two = Stage(shards=4, cluster=one.cluster)
    await one.stand_by()
    await two.stand_by()

    def watched(*change: object) -> None:
        one.reconciler.observe(*change)  # type: ignore[arg-type]
        two.reconciler.observe(*change)  # type: ignore[arg-type]

    one.cluster.watch = watched
    one.reconciler.start_acting({0, 1})
    two.reconciler.start_acting({2, 3})
    one.workflow(step("a"))
    return one, two


def test_each_replica_does_the_runs_of_its_shards() -> None:
    async def story() -> None:
        one, two = await two_replicas()
        for name in RUNS:
            one.start(name)
        await one.until(lambda: all(one.cluster.status(name).get("phase") == "Success" for name in RUNS))
        first = sum(shard_of_run(one, name) in (0, 1) for name in RUNS)
        assert 5 < first < 35
        assert (len(one.caller.requests), len(two.caller.requests)) == (first, len(RUNS) - first)
        assert not one.lines("refused"), "two replicas wrote the same object"
        counted = [stage.reconciler.count_runs().phases.total() for stage in (one, two)]
        assert counted == [first, len(RUNS) - first]
        assert len(one.lines("write order")) == 1, "the status of the definition is written by one of them"

    run(story())


def test_draining_a_shard_leaves_the_others_alone() -> None:
    async def story() -> None:
        one, two = await two_replicas()
        one.caller.services["a"] = answer(after=10)
        for name in RUNS:
            one.start(name)
        mine = {shard: [name for name in RUNS if shard_of_run(one, name) == shard] for shard in (0, 1)}
        await one.until(lambda: len(one.caller.requests) == len(mine[0]) + len(mine[1]))

        assert await one.reconciler.drain({1}, 20)
        await one.reconciler.stop_acting({1})
        assert not one.lines("cut")
        assert {one.cluster.status(name)["steps"][0]["phase"] for name in mine[1]} == {"Success"}
        await one.until(lambda: all(one.cluster.status(name)["phase"] == "Success" for name in mine[0]))

        late = [f"late-{number}" for number in range(20)]
        for name in late:
            one.start(name)
        await pass_time(60)
        waiting = [name for name in late if one.cluster.status(name)["phase"] == "Pending"]
        assert sorted(waiting) == sorted(name for name in late if shard_of_run(one, name) == 1)
        two.reconciler.start_acting({1})
        await one.until(lambda: all(one.cluster.status(name).get("phase") == "Success" for name in late))

    run(story())


def test_a_shard_that_does_not_drain_in_time_is_kept_and_goes_on() -> None:
    async def story() -> list[str]:
        stage = await Stage(shards=2).open()
        stage.workflow(step("a"), step("b", "a"))
        stage.caller.services["a"] = answer(after=100)
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        assert not await stage.reconciler.drain(stage.shards, 20)
        stage.reconciler.start_acting(stage.shards)
        await stage.until_phase("Success")
        return stage.lines("call", "cut")

    assert run(story()) == ["call a", "call b"]


def test_what_waits_for_room_does_not_begin_in_a_shard_that_drains() -> None:
    async def story() -> list[str]:
        stage = await Stage(shards=2, concurrency=1).open()
        stage.workflow(step("a"))
        stage.caller.services["a"] = answer(after=10)
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        stage.start("second")
        assert await stage.reconciler.drain(stage.shards, 20)
        await pass_time(60)
        stage.reconciler.start_acting(stage.shards)
        first = len(stage.lines("call"))
        await stage.until(lambda: stage.cluster.status("second").get("phase") == "Success")
        return stage.lines("call")[first:]

    assert run(story()) == ["call a"]


def test_losing_one_shard_cuts_its_calls_only() -> None:
    async def story() -> None:
        one, _ = await two_replicas()
        one.caller.services["a"] = answer(after=10)
        for name in RUNS:
            one.start(name)
        mine = {shard: sum(shard_of_run(one, name) == shard for name in RUNS) for shard in (0, 1)}
        await one.until(lambda: len(one.caller.requests) == mine[0] + mine[1])
        await one.reconciler.stop_acting({0})
        assert len(one.lines("cut")) == mine[0]
        await pass_time(60)
        ended = {shard_of_run(one, name) for name in RUNS if one.cluster.status(name)["phase"] == "Success"}
        assert ended == {1, 2, 3}

    run(story())
