"""Who acts, who stands by, and what happens when that changes."""

import asyncio

from tests.reconciler.stage import Stage, answer, step
from tests.reconciler.virtual_time import pass_time, run


async def standing_by() -> Stage:
    """A replica whose caches are full, and that does not act."""
    stage = Stage()
    await stage.stand_by()
    stage.workflow(step("a"), step("b", "a"))
    stage.start()
    await pass_time(60)
    return stage


def test_a_standby_writes_nothing_and_calls_nothing() -> None:
    async def story() -> list[str]:
        return (await standing_by()).journal

    assert run(story()) == []


def test_whoever_gets_the_lease_looks_at_every_run_at_once() -> None:
    async def story() -> float:
        stage = await standing_by()
        began = asyncio.get_running_loop().time()
        stage.reconciler.start_acting(stage.shards)
        await stage.until(lambda: bool(stage.lines("call a")))
        return asyncio.get_running_loop().time() - began

    assert run(story()) < 0.01


def test_whoever_loses_the_lease_lets_go_of_everything() -> None:
    async def story() -> list[str]:
        stage = await standing_by()
        stage.caller.services["a"] = answer(after=100)
        stage.reconciler.start_acting(stage.shards)
        await stage.until(lambda: bool(stage.lines("call a")))
        await stage.reconciler.stop_acting(stage.shards)
        assert stage.journal[-1] == "cut a"
        stage.journal.clear()
        await pass_time(600)
        return stage.journal

    assert run(story()) == []


def test_nothing_is_sent_when_the_lease_ran_out_during_the_write() -> None:
    async def story() -> list[str]:
        stage = await standing_by()
        stage.reconciler.start_acting(stage.shards)
        await stage.until(lambda: bool(stage.lines("write run")))
        stage.leader = False
        await pass_time(60)
        assert not stage.lines("call")
        await stage.reconciler.stop_acting(stage.shards)
        stage.leader = True
        stage.reconciler.start_acting(stage.shards)
        await stage.until_phase("Success")
        return stage.lines("call")

    assert run(story()) == ["call a", "call b"]


def test_nothing_is_written_when_the_lease_ran_out_before_the_write() -> None:
    async def story() -> list[str]:
        stage = await standing_by()
        stage.leader = False
        stage.reconciler.start_acting(stage.shards)
        await pass_time(60)
        return stage.lines("write run", "call")

    assert run(story()) == []


def test_a_call_lost_with_the_process_is_repeated_under_its_number_and_key() -> None:
    async def story() -> tuple[list[str], list[str], int]:
        stage = await Stage().open()
        stage.workflow(step("a"), step("b", "a"))
        stage.caller.services["a"] = answer(after=100)
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        await stage.reconciler.stop_acting(stage.shards)
        successor = await Stage(cluster=stage.cluster).open()
        await successor.until_phase("Success")
        keys = stage.caller.keys() + successor.caller.keys()[:1]
        return keys, successor.lines("call"), successor.cluster.status("run")["steps"][0]["attempts"]

    keys, calls, attempts = run(story())
    assert len(set(keys)) == 1
    assert len(keys) == 2
    assert calls == ["call a", "call a", "call b"]
    assert attempts == 1


def test_a_successor_loads_what_the_run_is_pinned_to() -> None:
    async def story() -> str:
        stage = await Stage().open()
        stage.workflow(step("a"), step("b", "a"))
        stage.caller.services["a"] = answer(after=100)
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        await stage.reconciler.stop_acting(stage.shards)
        stage.cluster.delete("workflows", "order")
        successor = await Stage(cluster=stage.cluster).open()
        await successor.until_phase("Success")
        return successor.caller.requests[-1].url

    assert run(story()).endswith("/b")


def test_a_lease_that_is_back_before_everything_was_let_go_of_leaves_nothing_unjudged() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        await pass_time(1)
        stopping = asyncio.create_task(stage.reconciler.stop_acting(stage.shards))
        await asyncio.sleep(0)
        stage.reconciler.start_acting(stage.shards)
        await stopping
        stage.workflow(step("a"))
        await pass_time(60)
        return stage.lines("write")

    assert run(story()) == ["write order Valid"]


def test_draining_stores_what_comes_in_time_and_begins_nothing() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"), step("b", "a"))
        stage.caller.services["a"] = answer(after=10)
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        stage.start("second")
        await stage.reconciler.drain(stage.shards, 20)
        assert asyncio.get_running_loop().time() < 11
        await stage.reconciler.stop_acting(stage.shards)
        return stage.lines("call", "write run", "cut")

    assert run(story()) == ["write run Running a:Running", "call a", "write run Running a:Success"]


def test_draining_does_not_wait_for_what_still_waits_for_a_slot() -> None:
    async def story() -> list[str]:
        stage = await Stage(per_host=1).open()
        stage.workflow(step("a"))
        stage.caller.services["a"] = answer(after=10)
        for name in ("first", "second", "third"):
            stage.start(name)
        await pass_time(1)
        await stage.reconciler.drain(stage.shards, 60)
        assert asyncio.get_running_loop().time() < 11
        await stage.reconciler.stop_acting(stage.shards)
        return stage.lines("call", "answer", "cut")

    assert run(story()) == ["call a", "answer a"]


def test_a_lease_that_was_lost_while_a_call_waited_for_a_slot_keeps_it_from_being_sent() -> None:
    async def story() -> list[str]:
        stage = await Stage(per_host=1).open()
        stage.workflow(step("a"))
        stage.caller.services["a"] = answer(after=10)
        for name in ("first", "second"):
            stage.start(name)
        await pass_time(1)
        stage.leader = False
        await pass_time(20)
        await stage.reconciler.stop_acting(stage.shards)
        return stage.lines("call")

    assert run(story()) == ["call a"]


def test_draining_ends_when_the_grace_is_over() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        stage.caller.services["a"] = answer(after=100)
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        began = asyncio.get_running_loop().time()
        await stage.reconciler.drain(stage.shards, 20)
        assert 20 <= asyncio.get_running_loop().time() - began < 21
        await stage.reconciler.stop_acting(stage.shards)
        return stage.lines("cut")

    assert run(story()) == ["cut a"]
