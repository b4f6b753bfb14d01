"""Remember first, act second; and how few writes that takes."""

import asyncio

import pytest
from tests.reconciler.stage import Stage, answer, step, undoable
from tests.reconciler.virtual_time import pass_time, run


def test_a_saga_of_two_steps_is_three_writes_each_before_what_it_announces() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("reserve"), step("charge", "reserve"))
        stage.start()
        await stage.until_phase("Success")
        return stage.lines("write run", "call", "answer", "create", "patch", "event")

    assert run(story()) == [
        "create controllerrevisions",
        "write run Running reserve:Running",
        "call reserve",
        "answer reserve",
        "write run Running reserve:Success charge:Running",
        "call charge",
        "answer charge",
        "write run Success reserve:Success charge:Success",
    ]


@pytest.mark.parametrize("levels", [1, 3, 10])
@pytest.mark.parametrize("width", [1, 3])
def test_a_run_of_so_many_levels_takes_one_write_more_than_that(levels: int, width: int) -> None:
    async def story() -> tuple[int, int]:
        stage = await Stage().open()
        ids = [[f"s{level}-{place}" for place in range(width)] for level in range(levels)]
        stage.workflow(*(step(id, *(ids[level - 1] if level else ())) for level in range(levels) for id in ids[level]))
        stage.start()
        await stage.until_phase("Success")
        assert not stage.lines("patch", "event", "refused")
        return len(stage.lines("write run")), len(stage.lines("call"))

    assert run(story()) == (levels + 1, levels * width)


def test_the_second_run_of_a_definition_creates_no_revision() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("only"))
        for name in ("first", "second"):
            stage.start(name)
            await stage.until_phase("Success", name)
        return stage.lines("create")

    assert run(story()) == ["create controllerrevisions"]


def test_an_answer_that_comes_during_a_write_joins_the_next_one() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("fast"), step("slow"), step("after", "fast"), step("last", "slow", "after"))
        stage.caller.services = {"fast": answer(after=0.020), "slow": answer(after=0.0215), "after": answer(after=0.0)}
        stage.start()
        await stage.until_phase("Success")
        return stage.lines("write run")

    assert run(story()) == [
        "write run Running fast:Running slow:Running",
        "write run Running fast:Success slow:Running after:Running",
        "write run Running fast:Success slow:Success after:Success last:Running",
        "write run Success fast:Success slow:Success after:Success last:Success",
    ]


def test_an_answer_that_lets_nothing_start_is_stored_within_a_second() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("first"), step("second"), step("third"))
        stage.caller.services = {"second": answer(after=0.5), "third": answer(after=2.0)}
        stage.start()
        await stage.until(lambda: stage.lines("write run Running first:Success second:Success third:Running") != [])
        assert asyncio.get_running_loop().time() == pytest.approx(1.03, abs=0.03)
        await stage.until_phase("Success")
        return stage.lines("write run")

    assert len(run(story())) == 3, "the two that came within a second of each other share a write"


def test_a_failure_is_undone_in_reverse_order_and_the_events_say_so() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(undoable("reserve"), undoable("charge", "reserve"), step("ship", "charge"))
        stage.caller.services["ship"] = answer(400)
        stage.start()
        await stage.until_phase("Failure")
        await stage.until(lambda: "completionTime" in stage.cluster.status("run"))
        assert stage.tally.attempts[2:] == [
            ("ship/do", "Failure"),
            ("charge/undo", "Success"),
            ("reserve/undo", "Success"),
        ]
        assert [phase for phase, _ in stage.tally.ended] == ["Failure"]
        assert stage.tally.undone == ["Success"]
        return stage.lines("call", "event")

    assert run(story()) == [
        "call reserve",
        "call charge",
        "call ship",
        "event run RunFailed",
        "call undo-charge",
        "call undo-reserve",
    ]


def test_a_retry_waits_without_a_task_and_is_sent_with_the_same_key() -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.workflow(step("flaky", retry={"limit": 3, "backoff": {"duration": "10m", "cap": "10m"}}))
        stage.caller.services["flaky"] = answer(503)
        stage.start()
        await stage.until(lambda: bool(stage.lines("answer")))
        await pass_time(5)
        assert len(asyncio.all_tasks()) == 2, "the story itself, and who judges definitions"
        stage.caller.services["flaky"] = answer()
        await stage.until_phase("Success")
        assert 300 <= asyncio.get_running_loop().time() <= 900
        assert len(stage.caller.keys()) == 2
        assert len(set(stage.caller.keys())) == 1

    run(story())
