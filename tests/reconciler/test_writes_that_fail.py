"""A write that is refused, one whose reply is lost, and an API server that is away."""

import asyncio
import logging

import pytest
from tests.reconciler.fake_cluster import Fault
from tests.reconciler.stage import Stage, answer, step
from tests.reconciler.virtual_time import pass_time, run

from flow_operator.engine.errors import Conflict, NotNow, Refused, Unavailable


def test_nothing_of_a_refused_plan_is_sent() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"), step("b", "a"))
        stage.cluster.fail("write", Fault(Conflict("409")))
        stage.start()
        await stage.until_phase("Success")
        assert stage.tally.writes.count("conflict") == 1
        return stage.lines("write", "call")

    journal = run(story())
    refused = journal.index("write fails: Conflict")
    assert not [line for line in journal[:refused] if line.startswith("call")]
    assert [line for line in journal if line.startswith("call")] == ["call a", "call b"]


def test_an_answer_whose_write_is_refused_is_recorded_on_what_stands_there_now() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"), step("b", "a"))
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        stage.cluster.watching = False
        stage.cluster.annotate("run", {"somebody": "else"})
        await stage.until_phase("Success")
        assert stage.cluster["run"]["metadata"]["annotations"] == {"somebody": "else"}
        return stage.lines("call", "refused", "answer")

    assert run(story()) == ["call a", "answer a", "refused run", "call b", "answer b"]


def test_a_lost_reply_of_a_write_that_was_done_sends_each_attempt_once() -> None:
    async def story() -> tuple[list[str], list[str]]:
        stage = await Stage().open()
        stage.workflow(step("a"), step("b", "a"))
        await stage.until(lambda: bool(stage.lines("write order")))
        stage.cluster.fail("write", Fault(Unavailable("connection lost"), done=True))
        stage.cluster.fail("read", Fault(Unavailable("503")), Fault(Unavailable("503")))
        stage.start()
        await stage.until_phase("Success")
        return stage.lines("write run", "write fails", "read fails", "call"), stage.caller.keys()

    journal, keys = run(story())
    assert journal == [
        "write run Running a:Running",
        "write fails: Unavailable",
        "read fails: Unavailable",
        "read fails: Unavailable",
        "call a",
        "write run Running a:Success b:Running",
        "call b",
        "write run Success a:Success b:Success",
    ]
    assert len(set(keys)) == len(keys) == 2


def test_a_lost_reply_of_a_write_that_was_not_done_is_planned_again() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        await stage.until(lambda: bool(stage.lines("write order")))
        stage.cluster.fail("write", Fault(Unavailable("connection lost"), done=False))
        stage.start()
        await stage.until_phase("Success")
        return stage.lines("write run", "write fails", "call")

    assert run(story()) == [
        "write fails: Unavailable",
        "write run Running a:Running",
        "call a",
        "write run Success a:Success",
    ]


def test_answers_are_kept_while_the_api_server_is_away_and_new_calls_wait() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"), step("b", "a"))
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        stage.cluster.away = True
        await pass_time(600)
        assert stage.journal[-1] == "answer a"
        stage.cluster.away = False
        back = asyncio.get_running_loop().time()
        await stage.until_phase("Success")
        assert asyncio.get_running_loop().time() - back < 6, "it is tried every 5 s at most"
        return stage.lines("write run", "call")

    assert run(story()) == [
        "write run Running a:Running",
        "call a",
        "write run Running a:Success b:Running",
        "call b",
        "write run Success a:Success b:Success",
    ]


def test_writes_that_fail_while_reads_succeed_are_tried_ever_more_rarely() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        await stage.until(lambda: bool(stage.lines("write order")))
        stage.cluster.fail("write", *(Fault(error) for error in [Unavailable("500")] * 10 + [Conflict("409")] * 10))
        stage.start()
        await stage.until_phase("Success")
        assert 30 < asyncio.get_running_loop().time() < 120
        return stage.lines("call")

    assert run(story()) == ["call a"]


def test_a_throttled_write_is_tried_again_when_the_api_server_says_so() -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.workflow(step("a"))
        await stage.until(lambda: bool(stage.lines("write order")))
        stage.cluster.fail("write", Fault(NotNow("429", retry_after=30)))
        stage.start()
        await stage.until_phase("Success")
        assert 30 < asyncio.get_running_loop().time() < 31
        assert not stage.lines("read")

    run(story())


def test_an_api_server_that_is_away_is_told_of_but_not_by_every_run(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.workflow(step("a"))
        for number in range(100):
            stage.start(f"run-{number}")
        await stage.until(lambda: len(stage.lines("call")) == 100)
        stage.cluster.away = True
        await pass_time(60)

    with caplog.at_level(logging.WARNING):
        run(story())
    assert 5 <= len(caplog.records) <= 7


def test_a_write_that_is_never_taken_does_not_lose_the_answer_nor_repeat_the_call() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        stage.cluster.fail("write", *(Fault(Refused("422")) for _ in range(5)))
        await stage.until_phase("Success")
        return stage.lines("call")

    assert run(story()) == ["call a"]


def test_a_revision_that_cannot_be_created_holds_the_start() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        stage.cluster.fail("create", Fault(Unavailable("503")), Fault(Unavailable("503"), done=True))
        stage.start()
        await stage.until_phase("Success")
        return stage.lines("create", "write run", "call")

    assert run(story()) == [
        "create fails: Unavailable",
        "create controllerrevisions",
        "create fails: Unavailable",
        "write run Running a:Running",
        "call a",
        "write run Success a:Success",
    ]


def test_old_news_from_the_watch_is_ignored() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"), step("b", "a"))
        stage.caller.services = {"a": answer(after=10), "b": answer(after=10)}
        stage.start()
        pristine = dict(stage.cluster["run"])
        await stage.until(lambda: bool(stage.lines("call a")))
        stage.reconciler.observe("workflowexecutions", "MODIFIED", pristine)
        await stage.until(lambda: bool(stage.lines("call b")))
        stage.reconciler.observe("workflowexecutions", "MODIFIED", pristine)
        await stage.until_phase("Success")
        stage.reconciler.observe("workflowexecutions", "MODIFIED", pristine)
        await pass_time(5)
        assert not stage.lines("refused", "read")
        return stage.lines("call", "cut")

    assert run(story()) == ["call a", "call b"]


def test_a_deleted_run_is_let_go_of_at_once() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        stage.caller.services["a"] = answer(after=100)
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        stage.cluster.delete("workflowexecutions", "run")
        await stage.until(lambda: bool(stage.lines("cut")), within=0.1)
        await pass_time(200)
        assert stage.reconciler.count_runs().phases.total() == 0
        return stage.lines("write run", "refused", "read", "call", "cut")

    assert run(story()) == ["write run Running a:Running", "call a", "cut a"]


def test_a_run_whose_deletion_nobody_told_of_is_let_go_of_when_a_write_finds_nothing() -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.workflow(step("a"), step("b", "a"))
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        stage.cluster.watching = False
        stage.cluster.delete("workflowexecutions", "run")
        await pass_time(5)
        assert stage.reconciler.count_runs().phases.total() == 0
        assert stage.lines("call") == ["call a"]

    run(story())


def test_a_run_made_anew_under_the_same_name_is_another_run() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        stage.caller.services["a"] = answer(after=10)
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        stage.cluster.delete("workflowexecutions", "run")
        stage.start()
        await stage.until_phase("Success")
        assert len(set(stage.caller.keys())) == 2
        return stage.lines("call", "cut", "answer")

    assert run(story()) == ["call a", "cut a", "call a", "answer a"]
