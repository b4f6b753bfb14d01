"""Many runs: what those cost that wait or have ended, and that one cannot hold up the others."""

import asyncio
import logging
from typing import Any

import pytest
from tests.reconciler.fake_cluster import Fault
from tests.reconciler.stage import Stage, answer, pristine, step
from tests.reconciler.virtual_time import pass_time, run

from flow_operator.engine.errors import Unavailable
from flow_operator.reconciler.runs import Queue


def tasks() -> int:
    """Tasks that are alive besides the story's own and the judge of definitions."""
    return len(asyncio.all_tasks()) - 2


def test_runs_that_have_ended_cost_nothing_when_they_are_listed_again() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        for number in range(500):
            stage.start(f"run-{number}")
        await stage.until(lambda: stage.reconciler.count_runs().phases["shop", "order", "Success"] == 500)
        await pass_time(1)
        stage.journal.clear()
        successor = await Stage(cluster=stage.cluster).open()
        assert tasks() == 1, "the second judge"
        for (plural, _, _), body in stage.cluster.objects.items():
            if plural == "workflowexecutions":
                successor.reconciler.observe(plural, "MODIFIED", body)
        assert tasks() == 1
        await pass_time(10)
        assert successor.reconciler.count_runs().phases == {("shop", "order", "Success"): 500}
        return successor.journal

    assert run(story()) == []


def test_runs_that_wait_have_no_task() -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.workflow(step("a"))
        for number in range(100):
            stage.start(f"lost-{number}", "nowhere")
            stage.start(f"held-{number}", suspend=True)
        await pass_time(10)
        assert tasks() == 0
        assert len(stage.lines("write lost")) == 100
        assert len(stage.lines("write held")) == 100
        stage.journal.clear()
        await pass_time(10_000)
        assert stage.journal == []

    run(story())


def test_thousands_that_are_looked_at_once_are_not_in_memory_at_once() -> None:
    """A standby that begins to act looks at every run; most have nothing to do."""

    async def story() -> int:
        stage = await Stage().open()
        stage.workflow(step("a"))
        for number in range(1000):
            stage.start(f"lost-{number}", "nowhere")
        await stage.until(lambda: len(stage.lines("write lost")) == 1000)
        await stage.reconciler.stop_acting([0])
        stage.journal.clear()
        successor = await Stage(cluster=stage.cluster).open()
        most = tasks()
        for _ in range(100):
            await asyncio.sleep(0)
            most = max(most, tasks())
        assert successor.journal == []
        assert successor.reconciler.count_runs().phases["shop", "nowhere", "Pending"] == 1000
        return most

    assert 50 <= run(story()) <= 200


def test_a_run_whose_status_nobody_can_read_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.workflow(step("a"))
        fields = {"spec": {"workflowRef": {"name": "order"}}, "status": pristine() | {"phase": "Dreaming"}}
        stage.cluster.add("workflowexecutions", "strange", fields)
        stage.start()
        await stage.until_phase("Success")
        assert not stage.lines("write strange")
        assert stage.cluster.status("strange")["phase"] == "Dreaming"

    with caplog.at_level(logging.WARNING):
        run(story())
    [record] = caplog.records
    assert "shop/strange" in record.getMessage()
    assert record.exc_info is None


def test_a_run_whose_spec_is_wrong_says_so() -> None:
    async def story() -> str:
        stage = await Stage().open()
        stage.workflow(step("a"))
        stage.start(input={"body": 1, "rawBody": "2"})
        await stage.until(lambda: bool(stage.lines("write run")))
        assert not stage.lines("call")
        conditions: list[dict[str, str]] = stage.cluster.status("run")["conditions"]
        return next(each["reason"] for each in conditions if each["type"] == "Stalled")

    assert run(story()) == "InvalidInput"


def test_a_run_that_always_fails_inside_is_tried_ever_more_rarely(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> int:
        stage = await Stage().open()
        stage.workflow(step("a"))
        write = stage.cluster.write_status

        async def write_status(plural: str, namespace: str, name: str, *rest: Any) -> Any:
            if name == "cursed":
                raise RuntimeError("a bug")
            return await write(plural, namespace, name, *rest)

        stage.cluster.write_status = write_status  # type: ignore[method-assign, assignment]
        stage.start("cursed")
        stage.start()
        await stage.until_phase("Success")
        await pass_time(3600)
        return len(caplog.records)

    with caplog.at_level(logging.ERROR):
        assert 60 <= run(story()) <= 140
    assert "shop/cursed" in caplog.text


def test_no_more_runs_are_acted_on_at_once_than_is_allowed() -> None:
    async def story() -> int:
        stage = await Stage(concurrency=3, per_namespace=3).open()
        stage.workflow(step("a"))
        stage.caller.services["a"] = answer(after=10)
        for number in range(10):
            stage.start(f"run-{number}")
        most = 0
        while stage.reconciler.count_runs().phases["shop", "order", "Success"] < 10:
            most = max(most, len(stage.lines("call")) - len(stage.lines("answer")))
            await pass_time(0.5)
        return most

    assert run(story()) == 3


def test_runs_that_wait_for_a_slot_at_their_host_leave_room_for_others() -> None:
    async def story() -> tuple[int, int]:
        stage = await Stage(concurrency=3, per_host=2, per_namespace=3).open()
        stage.workflow(step("a"))
        stage.workflow(step("slow", endpoint={"url": "http://slow/slow"}), name="slow")
        stage.caller.services["slow"] = answer(after=1000)
        for number in range(10):
            stage.start(f"slow-{number}", "slow")
        await pass_time(1)
        for number in range(10):
            stage.start(f"run-{number}")
        await pass_time(10)
        others = stage.reconciler.count_runs().phases["shop", "order", "Success"]
        await pass_time(5000)
        return others, stage.reconciler.count_runs().phases["shop", "slow", "Success"]

    assert run(story()) == (10, 10)


def test_how_many_wait_for_room_and_how_long_can_be_asked() -> None:
    async def story() -> None:
        stage = await Stage(concurrency=2, per_namespace=2).open()
        stage.workflow(step("a"))
        stage.caller.services["a"] = answer(after=100)
        for number in range(5):
            stage.start(f"run-{number}")
        await pass_time(60)

        queue = stage.reconciler.queue()

        assert (queue.depth, queue.active) == (3, 2)
        assert queue.oldest == pytest.approx(60, abs=1)
        await stage.until(lambda: stage.reconciler.count_runs().phases["shop", "order", "Success"] == 5)
        await pass_time(1)
        assert stage.reconciler.queue() == Queue(depth=0, oldest=0.0, active=0)

    run(story())


def test_what_the_watch_missed_is_found_by_the_next_list() -> None:
    async def story() -> None:
        stage = await Stage().open()
        listing = asyncio.create_task(stage.reconciler.keep_listing())
        stage.workflow(step("a"))
        stage.start("early", suspend=True)
        await pass_time(1)
        stage.cluster.watching = False
        stage.cluster.delete("workflowexecutions", "early")
        stage.cluster.delete("workflows", "order")
        stage.workflow(step("b"), name="second")
        stage.start("late", "second")
        await stage.until_phase("Success", "late")
        assert 200 < asyncio.get_running_loop().time() < 400
        await pass_time(0.1)
        assert stage.reconciler.count_runs().phases == {("shop", "second", "Success"): 1}
        stage.start("orphan")
        stage.cluster.watching = True
        stage.cluster.annotate("orphan", {"seen": "now"})
        await stage.until(lambda: bool(stage.lines("write orphan")))
        assert {each["type"]: each["reason"] for each in stage.cluster.status("orphan")["conditions"]}[
            "Stalled"
        ] == "WorkflowNotFound"
        listing.cancel()

    run(story())


def test_a_watch_that_began_anew_brings_the_next_list_forward() -> None:
    async def story() -> float:
        stage = await Stage().open()
        listing = asyncio.create_task(stage.reconciler.keep_listing())
        stage.workflow(step("a"))
        stage.start("early", suspend=True)
        await pass_time(1)
        stage.cluster.watching = False
        stage.cluster.delete("workflowexecutions", "early")
        stage.reconciler.watch_begins()
        await stage.until(lambda: stage.reconciler.count_runs().phases.total() == 0)
        listing.cancel()
        return asyncio.get_running_loop().time()

    assert run(story()) < 10


def test_a_list_that_fails_after_a_watch_began_anew_is_tried_until_it_succeeds() -> None:
    """Else a run that was created while no watch stood would have to wait for the next list, minutes later."""

    async def story() -> float:
        stage = await Stage().open()
        listing = asyncio.create_task(stage.reconciler.keep_listing())
        stage.workflow(step("a"))
        await pass_time(1)
        stage.cluster.watching = False
        stage.start()
        stage.cluster.fail("list", *(Fault(Unavailable("503")) for _ in range(7)))
        stage.reconciler.watch_begins()
        await stage.until_phase("Success")
        listing.cancel()
        return asyncio.get_running_loop().time()

    assert run(story()) < 20


def test_the_first_list_is_tried_until_it_succeeds() -> None:
    async def story() -> list[str]:
        stage = Stage()
        stage.workflow(step("a"))
        stage.start()
        stage.cluster.watching = False
        stage.cluster.fail("list", Fault(Unavailable("503")), Fault(Unavailable("503")))
        await stage.open()
        await stage.until_phase("Success")
        return stage.lines("list", "call")

    assert run(story()) == ["list fails: Unavailable", "list fails: Unavailable", "call a"]
