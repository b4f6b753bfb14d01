"""Definitions that are missing, wrong or changed; their statuses; and revisions."""

import asyncio
import logging
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from tests.reconciler.fake_cluster import Fault
from tests.reconciler.stage import Stage, answer, in_turn, step, undoable
from tests.reconciler.virtual_time import pass_time, run

from flow_operator.adapters.metrics import Metrics
from flow_operator.engine.errors import Conflict, Forbidden, Refused, Unavailable
from flow_operator.engine.readiness import Resolution, resolution
from flow_operator.reconciler import definitions


def ready(stage: Stage, name: str, plural: str = "workflows") -> str:
    """Status and reason of the condition Ready."""
    conditions = stage.cluster.status(name, plural).get("conditions", ())
    return " ".join(f"{each['status']} {each['reason']}" for each in conditions if each["type"] == "Ready")


def conditions(stage: Stage, workflow: str) -> set[str]:
    """Which conditions a Workflow has."""
    return {each["type"] for each in stage.cluster.status(workflow, "workflows")["conditions"]}


def reason(stage: Stage) -> str:
    """Why the run waits."""
    conditions: list[dict[str, str]] = stage.cluster.status("run")["conditions"]
    return next(each["reason"] for each in conditions if each["type"] == "Stalled")


def test_a_run_waits_for_its_workflow_and_the_workflow_for_its_step() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.start()
        await stage.until(lambda: bool(stage.lines("write run")))
        assert reason(stage) == "WorkflowNotFound"
        stage.workflow({"id": "a", "stepRef": {"name": "shared"}})
        await stage.until(lambda: len(stage.lines("write run")) == 2)
        assert reason(stage) == "StepNotFound"
        assert ready(stage, "order") == "False StepNotFound"
        stage.cluster.add("steps", "other", {"spec": {"endpoint": {"url": "http://services/other"}}})
        await pass_time(60)
        assert len(stage.lines("write run")) == 2
        stage.cluster.add("steps", "shared", {"spec": {"endpoint": {"url": "http://services/shared"}}})
        await stage.until_phase("Success")
        assert ready(stage, "order") == "True Valid"
        return stage.lines("call")

    assert run(story()) == ["call shared"]


def test_a_run_that_is_seen_a_moment_before_its_workflow_says_nothing_of_it() -> None:
    async def story() -> int:
        stage = await Stage().open()
        stage.start()
        await pass_time(0.5)
        stage.workflow(step("a"))
        await stage.until_phase("Success")
        assert asyncio.get_running_loop().time() < 1
        return len(stage.lines("write run"))

    assert run(story()) == 2, "a step, and the end"


def test_a_run_whose_workflow_is_not_there_is_held_as_soon_as_a_person_says_so() -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.start()
        await pass_time(0.1)
        stage.command("suspend")
        await stage.until_phase("Suspend")
        assert asyncio.get_running_loop().time() < 0.2

    run(story())


def test_a_workflow_that_is_wrong_says_so_and_its_runs_wait_until_it_is_mended() -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.workflow(step("a", "nowhere"))
        stage.start()
        await stage.until(lambda: bool(stage.lines("write run")))
        assert reason(stage) == "WorkflowNotReady"
        assert ready(stage, "order") == "False InvalidWorkflow"
        assert conditions(stage, "order") == {"Ready", "Stalled"}
        stage.cluster.change("workflows", "order", {"steps": [step("a")]})
        await stage.until_phase("Success")
        assert conditions(stage, "order") == {"Ready"}

    run(story())


def test_definitions_that_are_poison_say_so_and_the_others_go_on() -> None:
    deep: object = "x"
    for _ in range(300):
        deep = [deep]

    async def story() -> list[str]:
        stage = await Stage().open()
        steps: list[Any] = [None, {"stepRef": 1}]
        specs: tuple[Any, ...] = (
            None,
            [],
            "x",
            {"steps": "x"},
            {"steps": steps},
            {"steps": [step("a")], "output": deep},
        )
        for number, spec in enumerate(specs):
            stage.cluster.add("workflows", f"poison-{number}", {"spec": spec})
            stage.start(f"poisoned-{number}", f"poison-{number}")
        stage.workflow(step("a"))
        stage.start()
        await stage.until_phase("Success")
        return [ready(stage, f"poison-{number}") for number in range(6)]

    assert run(story()) == ["False InvalidWorkflow"] * 6


def test_a_status_is_written_only_when_it_differs() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        await stage.until(lambda: bool(stage.lines("write order")))
        stage.cluster.annotate("order", {"some": "thing"}, plural="workflows")
        await pass_time(10)
        successor = await Stage(cluster=stage.cluster).open()
        await pass_time(10)
        return successor.lines("write")

    assert run(story()) == ["write order Valid"]


def test_a_status_that_somebody_else_has_written_is_written_again() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        await stage.until(lambda: ready(stage, "order") == "True Valid")
        stage.cluster.overwrite("workflows", "order", {})
        await stage.until(lambda: ready(stage, "order") == "True Valid")
        await pass_time(10)
        return stage.lines("write order")

    assert run(story()) == ["write order Valid"] * 2


def test_a_status_whose_write_is_refused_is_written_on_what_stands_there_now() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.cluster.fail("write", Fault(Conflict("409")))
        stage.workflow(step("a"))
        await stage.until(lambda: ready(stage, "order") == "True Valid")
        return stage.lines("write")

    assert run(story()) == ["write fails: Conflict", "write order Valid"]


def test_editing_a_workflow_changes_no_run_that_has_started() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"), step("b", "a"))
        stage.start()
        await stage.until(lambda: bool(stage.lines("call a")))
        stage.cluster.change("workflows", "order", {"steps": [step("x")]})
        await stage.until_phase("Success")
        return stage.lines("call", "create")

    assert run(story()) == ["create controllerrevisions", "call a", "call b"]


def test_a_run_whose_revision_is_gone_calls_nothing_until_it_is_back() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a", retry={"limit": 9, "backoff": {"duration": "10m", "cap": "10m"}}))
        stage.caller.services["a"] = answer(503)
        stage.start()
        await stage.until(lambda: len(stage.lines("write run")) == 2)
        await stage.reconciler.stop_acting(stage.shards)
        [key] = [key for key in stage.cluster.objects if key[0] == "controllerrevisions"]
        revision = stage.cluster.objects.pop(key)
        stage.journal.clear()
        successor = await Stage(cluster=stage.cluster).open()
        listing = asyncio.create_task(successor.reconciler.keep_listing())
        await successor.until(lambda: bool(successor.lines("write run")))
        assert reason(successor) == "RevisionNotFound"
        assert not successor.lines("call")
        stage.cluster.objects[key] = revision
        await successor.until_phase("Success")
        listing.cancel()
        return successor.lines("call")

    assert run(story()) == ["call a"]


def test_after_a_namespace_was_made_anew_its_revisions_are_too() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        stage.start()
        await stage.until_phase("Success")
        for plural, _, name in list(stage.cluster.objects):
            stage.cluster.delete(plural, name)
        await pass_time(1)
        stage.workflow(step("a"))
        stage.start()
        await stage.until_phase("Success")
        return stage.lines("create")

    assert run(story()) == ["create controllerrevisions"] * 2


def test_the_metrics_forget_a_workflow_when_no_namespace_has_one_of_its_name() -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.workflow(step("a"))
        stage.cluster.add("workflows", "order", {"spec": {"steps": [step("a")]}}, namespace="elsewhere")
        await pass_time(1)
        stage.cluster.delete("workflows", "order")
        await pass_time(1)
        assert stage.tally.forgotten == []
        stage.cluster.delete("workflows", "order", namespace="elsewhere")
        await pass_time(1)
        assert stage.tally.forgotten == ["order"]

    run(story())


def test_runs_that_end_after_their_workflow_was_deleted_leave_no_series_of_its_name() -> None:
    async def story() -> str:
        metrics = Metrics()
        stage = await Stage(meter=metrics).open()
        metrics.name_workflows(stage.reconciler.has_workflow)
        stage.caller.services = {"a": answer(after=10), "b": in_turn(*[answer(500)] * 50, answer())}
        for number in range(100):
            name = f"order-{number}"
            stage.workflow(undoable("a"), step("b", "a", retry={"limit": 0}), name=name)
            stage.start(name, name)
        await stage.until(lambda: len(stage.lines("call a")) == 100)
        for number in range(100):
            stage.cluster.delete("workflows", f"order-{number}")
        ended = ("Success", "Failure")
        await stage.until(lambda: all(stage.cluster.status(f"order-{n}")["phase"] in ended for n in range(100)))
        await pass_time(1)
        return metrics.exposition()[0].decode()

    text = run(story())
    assert "order-" not in text
    assert 'flow_run_duration_seconds_count{phase="Failure",workflow="(deleted)"} 50.0' in text
    assert 'flow_compensations_total{phase="Success",workflow="(deleted)"} 50.0' in text
    assert 'flow_attempts_total{direction="do",step="(deleted)",verdict="Success",workflow="(deleted)"} 150.0' in text


def test_a_workflow_that_was_made_anew_is_counted_under_its_name_again() -> None:
    async def story() -> str:
        metrics = Metrics()
        stage = await Stage(meter=metrics).open()
        metrics.name_workflows(stage.reconciler.has_workflow)
        stage.workflow(step("a"))
        await pass_time(1)
        stage.cluster.delete("workflows", "order")
        await pass_time(1)
        stage.workflow(step("a"))
        stage.start()
        await stage.until_phase("Success")
        return metrics.exposition()[0].decode()

    assert 'flow_run_duration_seconds_count{phase="Success",workflow="order"} 1.0' in run(story())


def test_a_status_of_a_definition_that_is_not_written_is_counted_too() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.cluster.fail("write", Fault(Unavailable("503")))
        stage.workflow(step("a"))
        await stage.until(lambda: len(stage.tally.writes) == 2)
        return stage.tally.writes

    assert run(story()) == ["unavailable", "stored"]


@pytest.mark.fault(
    "the status of a definition is refused again and again, by a webhook, a quota or missing rights",
    "It is tried again after pauses that grow to a minute, and counted as refused; no other definition waits for it",
)
@pytest.mark.parametrize(
    "refusal",
    [Forbidden("403 denied by a webhook"), Refused("422"), RuntimeError("a mistake of the operator")],
    ids=["403", "422", "unexpected"],
)
def test_a_definition_whose_status_is_refused_holds_up_no_other(refusal: Exception) -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.cluster.refuses = {f"refused-{number}": refusal for number in range(20)}
        for name in stage.cluster.refuses:
            stage.workflow(step("a"), name=name)
        await pass_time(300)
        stage.workflow(step("a"))
        await stage.until(lambda: ready(stage, "order") == "True Valid", within=0.1)

    run(story())


def _was_refused(stage: Stage, times: int) -> bool:
    return len(stage.lines("refused order")) == times


def test_a_definition_whose_status_is_refused_is_tried_again_after_pauses_that_grow_to_a_minute() -> None:
    async def story() -> list[float]:
        stage = await Stage().open()
        stage.cluster.refuses["order"] = Forbidden("403")
        stage.workflow(step("a"))
        moments: list[float] = []
        for number in range(1, 13):
            await stage.until(partial(_was_refused, stage, number))
            moments.append(asyncio.get_running_loop().time())
        assert set(stage.tally.writes) == {"refused"}
        del stage.cluster.refuses["order"]
        await stage.until(lambda: ready(stage, "order") == "True Valid", within=61)
        return [later - earlier for earlier, later in pairwise(moments)]

    pauses = run(story())
    assert 0.5 <= pauses[0] <= 1.1
    assert all(30 <= pause <= 61 for pause in pauses[-4:])


def test_a_definition_whose_status_is_refused_is_tried_at_once_when_it_has_changed() -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.cluster.refuses["order"] = Forbidden("403")
        stage.workflow(step("a"))
        await pass_time(600)
        tried = len(stage.lines("refused order"))
        stage.cluster.annotate("order", {"some": "thing"}, plural="workflows")
        await pass_time(0.1)
        assert len(stage.lines("refused order")) == tried, "what would be written is the same"
        stage.cluster.refuses.clear()
        stage.cluster.change("workflows", "order", {"steps": [step("b")]})
        await stage.until(lambda: ready(stage, "order") == "True Valid", within=0.1)

    run(story())


@pytest.mark.fault(
    "writes of definitions in one namespace are not answered", "One of them is in flight; other namespaces go on"
)
def test_a_namespace_whose_writes_are_never_answered_holds_up_no_other() -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.cluster.hanging.add("slow")
        for number in range(100):
            stage.cluster.add("workflows", f"slow-{number}", {"spec": {"steps": [step("a")]}}, namespace="slow")
        await pass_time(1)
        stage.workflow(step("a"))
        await stage.until(lambda: ready(stage, "order") == "True Valid", within=0.1)

    run(story())


def test_a_refusal_is_told_once_for_each_definition(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.cluster.refuses["order"] = Forbidden("403 no")
        stage.workflow(step("a"))
        await pass_time(600)

    with caplog.at_level(logging.ERROR):
        run(story())
    [record] = caplog.records
    assert "workflows shop/order is refused" in record.getMessage()


def test_a_workflow_is_checked_once_for_its_status_and_its_runs_and_again_when_its_step_has_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked: list[str] = []

    def counted(name: str, spec: object, steps: dict[str, object]) -> Resolution:
        checked.append(name)
        return resolution(name, spec, steps)

    monkeypatch.setattr(definitions, "resolution", counted)

    async def story() -> list[str]:
        stage = await Stage().open()
        stage.start()
        stage.cluster.add("steps", "shared", {"spec": {"endpoint": {"url": "http://services/shared"}}})
        stage.workflow({"id": "a", "stepRef": {"name": "shared"}})
        await stage.until_phase("Success")
        await pass_time(60)
        assert checked == ["order"]
        stage.cluster.change("steps", "shared", {"endpoint": {"url": "http://services/other"}})
        await pass_time(60)
        return checked

    assert run(story()) == ["order", "order"]
