"""One namespace cannot hurt another, whatever it does."""

from typing import Any

from tests.reconciler.fake_cluster import Fault
from tests.reconciler.stage import Stage, answer, step
from tests.reconciler.virtual_time import pass_time, run

from flow_operator.engine.errors import Forbidden
from flow_operator.engine.messages.observation import NotSent, Observation, Request

SLOW = {"url": "http://slow/slow"}


def in_phase(stage: Stage, namespace: str, phase: str) -> int:
    """How many runs of this namespace are in this phase."""
    phases = stage.reconciler.count_runs().phases
    return sum(number for (each, _, found), number in phases.items() if (each, found) == (namespace, phase))


def refuse_writes(stage: Stage, times: int) -> None:
    """The API server refuses so many writes of statuses."""
    stage.cluster.fail("write", *(Fault(Forbidden("403 denied by a webhook")) for _ in range(times)))


async def crowded(greedy_url: str, **limits: Any) -> Stage:
    """A stage on which one namespace has a thousand runs that call a host which never answers."""
    stage = await Stage(**limits).open()
    stage.cluster.add("workflows", "slow", {"spec": {"steps": [step("slow", endpoint={"url": greedy_url})]}}, "greedy")
    stage.workflow(step("a"))
    stage.caller.services["slow"] = answer(after=1_000_000)
    for number in range(1000):
        stage.start(f"slow-{number}", "slow", namespace="greedy")
    await pass_time(1)
    return stage


def test_runs_that_queue_at_a_host_are_not_awake_not_started_and_hold_up_nobody() -> None:
    async def story() -> None:
        stage = await crowded("http://slow/slow", concurrency=20, per_host=10)
        assert stage.caller.in_flight["slow"] == 8, "its share of the host"
        assert stage.reconciler.queue().active == 8
        for number in range(50):
            stage.start(f"run-{number}")
        await pass_time(5)
        assert in_phase(stage, "shop", "Success") == 50
        assert in_phase(stage, "greedy", "Running") == 8, "the others were not started: nothing of them can be Unknown"
        await stage.close()

    run(story())


def test_one_namespace_never_has_all_runs_awake_nor_all_slots_of_a_host() -> None:
    async def story() -> None:
        stage = await crowded("http://services/slow", concurrency=10, per_host=100)
        assert stage.reconciler.queue().active == 8
        stage.start("run")
        await stage.until_phase("Success")
        await stage.close()

    run(story())


def test_a_run_that_waits_for_a_slot_says_so_after_ten_seconds_by_one_write() -> None:
    async def story() -> None:
        stage = await Stage(per_host=1).open()
        stage.workflow(step("a"))
        stage.caller.services["a"] = answer(after=100)
        stage.start("first")
        await stage.until(lambda: bool(stage.lines("call a")))
        stage.start("second")
        await pass_time(9)
        assert stage.lines("write second") == []
        await pass_time(20)
        assert stage.cluster.status("second")["waiting"]["reason"] == "SlotUnavailable"
        assert len(stage.lines("write second")) == 1
        assert stage.reconciler.count_runs().waiting == {("shop", "order", "SlotUnavailable"): 1}
        await stage.until_phase("Success", "second")
        assert "waiting" not in stage.cluster.status("second")

    run(story())


def test_a_thousand_runs_that_wait_for_slots_say_so_ten_a_second() -> None:
    async def story() -> None:
        stage = await crowded("http://slow/slow", concurrency=20, per_host=10)
        await pass_time(9)
        before = len(stage.tally.writes)
        await pass_time(30)
        assert 100 < len(stage.tally.writes) - before < 350
        await pass_time(200)
        waiting = stage.reconciler.count_runs().waiting
        assert waiting == {("greedy", "slow", "SlotUnavailable"): 992}, "in the end all have said so"
        await stage.close()

    run(story())


def test_attempts_that_a_circuit_costs_are_stored_although_other_branches_wait() -> None:
    async def story() -> None:
        stage = await Stage().open()
        backoff = {"duration": "1s", "factor": 1, "jitter": 0}
        gone = {"endpoint": {"url": "http://gone/a"}, "retry": {"limit": 3, "backoff": backoff}}
        patient = gone | {"retry": {"limit": -1, "backoff": backoff | {"duration": "10m", "cap": "10m"}}}
        stage.workflow(step("a", **gone), step("b", **patient))

        async def nobody(_: Request) -> Observation:
            return NotSent("ConnectionRefused", "no connection")

        stage.caller.services["a"] = nobody
        for number in range(500):
            stage.start(f"run-{number}")
        await pass_time(30)
        assert in_phase(stage, "shop", "Failure") == 500
        await stage.close()

    run(story())


def test_a_run_whose_writes_are_refused_rests_as_an_entry_and_goes_on_when_they_are_taken() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        await stage.until(lambda: bool(stage.lines("write order")))
        refuse_writes(stage, 8)
        stage.start()
        await stage.until(lambda: stage.tally.writes.count("refused") == 3)
        await pass_time(0.1)
        assert stage.reconciler.queue().active == 0
        await stage.until_phase("Success")
        return stage.lines("call")

    assert run(story()) == ["call a"]


def test_an_outcome_whose_write_is_refused_for_minutes_waits_in_the_entry_and_its_call_is_not_repeated() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        refuse_writes(stage, 10)
        await stage.until(lambda: stage.tally.writes.count("refused") == 5)
        await pass_time(0.1)
        assert stage.reconciler.queue().active == 0
        await stage.until_phase("Success")
        return stage.lines("call")

    assert run(story()) == ["call a"]


def test_many_runs_that_are_refused_are_tried_again_at_a_bounded_rate() -> None:
    async def story() -> int:
        stage = await Stage().open()
        stage.workflow(step("a"))
        await stage.until(lambda: bool(stage.lines("write order")))
        refuse_writes(stage, 100_000)
        for number in range(2000):
            stage.start(f"run-{number}")
        await pass_time(300)
        before = len(stage.tally.writes)
        await pass_time(300)
        await stage.close()
        return len(stage.tally.writes) - before

    assert run(story()) < 300 * 40, "about 20 a second, however many they are"


def test_a_pause_shorter_than_a_second_is_kept_and_costs_one_write_for_each_attempt() -> None:
    async def story() -> None:
        stage = await Stage().open()
        backoff = {"duration": "50ms", "factor": 1, "jitter": 0}
        stage.workflow(step("a", retry={"limit": 9, "backoff": backoff}))
        stage.caller.services["a"] = answer(503, after=0.01)
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        await stage.until(lambda: len(stage.lines("call a")) == 10, within=1.0)
        assert len(stage.lines("write run")) == 10
        await stage.until_phase("Failure")

    run(story())
