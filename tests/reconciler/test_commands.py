"""Verbs given by annotation: acted upon once, and taken off without ever taking a newer one along."""

import json
from typing import Any

import pytest
from tests.reconciler.fake_cluster import Fault
from tests.reconciler.stage import Stage, answer, step
from tests.reconciler.virtual_time import run

from flow_operator.engine.errors import Unavailable
from flow_operator.engine.expressions.json_text import Number
from flow_operator.reconciler.commands import command_in, removal

PREFIX = "flow.unistack.org/command"


async def calling() -> Stage:
    """A run whose first step takes a minute."""
    stage = await Stage().open()
    stage.workflow(step("a"), step("b", "a"))
    stage.caller.services["a"] = answer(after=60)
    stage.start()
    await stage.until(lambda: bool(stage.lines("call a")))
    return stage


def test_a_command_is_stored_told_and_then_taken_off() -> None:
    async def story() -> list[str]:
        stage = await calling()
        stage.command("suspend", id="one")
        await stage.until_phase("Suspend")
        await stage.until(lambda: bool(stage.lines("answer a")))
        stage.command("resume", id="two")
        await stage.until_phase("Success")
        assert stage.cluster["run"]["metadata"]["annotations"] == {}
        assert stage.cluster.status("run")["lastCommand"]["id"] == "two"
        return stage.lines("write run", "event", "patch", "call")

    assert run(story()) == [
        "write run Running a:Running",
        "call a",
        "write run Suspend a:Running",
        "event run CommandAccepted",
        "patch run",
        "write run Running a:Success b:Running",
        "event run CommandAccepted",
        "call b",
        "patch run",
        "write run Success a:Success b:Success",
    ]


def test_a_newer_command_is_not_taken_off_with_the_older_one() -> None:
    async def story() -> list[str]:
        stage = await calling()
        stage.command("suspend", id="one")
        await stage.until(lambda: stage.cluster.status("run")["phase"] == "Suspend")
        stage.cluster.watching = False
        stage.command("abort", id="two")
        await stage.until(
            lambda: "lastCommand" in (s := stage.cluster.status("run")) and s["lastCommand"]["id"] == "two"
        )
        await stage.until(lambda: stage.cluster["run"]["metadata"]["annotations"] == {})
        return stage.lines("refused", "patch")

    assert run(story()) == ["refused run", "patch run"]


def test_a_command_that_was_acted_upon_in_an_earlier_life_is_only_taken_off() -> None:
    async def story() -> list[str]:
        stage = await calling()
        stage.command("suspend", id="one")
        stage.cluster.fail("patch", *(Fault(Unavailable("503")) for _ in range(3)))
        await stage.until(lambda: bool(stage.lines("patch fails")))
        await stage.reconciler.stop_acting(stage.shards)
        stage.journal.clear()
        successor = await Stage(cluster=stage.cluster).open()
        await successor.until(lambda: stage.cluster["run"]["metadata"]["annotations"] == {})
        return successor.lines("write run", "event", "patch run")

    assert run(story()) == ["patch run"]


def test_arguments_that_are_no_object_are_rejected_with_a_reason() -> None:
    async def story() -> None:
        stage = await calling()
        stage.command("abort", args="[not json", id="one")
        await stage.until(lambda: bool(stage.lines("event")))
        last = stage.cluster.status("run")["lastCommand"]
        assert last["result"] == "Rejected"
        assert last["message"]
        assert stage.cluster.status("run")["phase"] == "Running"

    run(story())


def test_a_command_on_a_run_that_has_ended_is_answered() -> None:
    async def story() -> list[str]:
        stage = await Stage().open()
        stage.workflow(step("a"))
        stage.start()
        await stage.until_phase("Success")
        stage.command("suspend", id="late")
        await stage.until(lambda: stage.cluster["run"]["metadata"]["annotations"] == {})
        assert stage.cluster.status("run")["lastCommand"]["result"] == "Rejected"
        return stage.lines("event")

    assert run(story()) == ["event run CommandRejected"]


def owned(manager: str, time: str, *names: str) -> dict[str, object]:
    """An entry of managedFields."""
    fields: dict[str, Any] = {"f:metadata": {"f:annotations": {f"f:{name}": {} for name in names}}}
    return {"manager": manager, "time": time, "fieldsV1": fields}


def metadata(*entries: dict[str, object], **annotations: str) -> dict[str, object]:
    """Metadata with a command."""
    given = {PREFIX + name.replace("_", "-"): value for name, value in annotations.items()}
    return {"annotations": given, "managedFields": list(entries)}


def test_who_gave_a_command_is_who_owns_the_annotation() -> None:
    alice, bob = owned("alice", "2026-01-01T00:00:00Z", PREFIX), owned("bob", "2026-01-02T00:00:00Z", "other")
    command = command_in(metadata(bob, alice, **{"": "abort", "_args": '{"reason": "x"}', "_id": "i"}))
    assert command is not None
    assert (command.id, command.verb, command.args, command.by) == ("i", "abort", {"reason": "x"}, "alice")


def test_without_an_id_the_same_words_by_the_same_write_are_the_same_command() -> None:
    def derived(time: str, verb: str, args: str) -> str:
        command = command_in(metadata(owned("alice", time, PREFIX), **{"": verb, "_args": args}))
        assert command is not None
        return command.id

    first = derived("2026-01-01T00:00:00Z", "retry", "{}")
    assert derived("2026-01-01T00:00:00Z", "retry", "{}") == first
    others = {
        derived("2026-01-01T00:00:01Z", "retry", "{}"),
        derived("2026-01-01T00:00:00Z", "skip", "{}"),
        derived("2026-01-01T00:00:00Z", "retry", '{"newKey": true}'),
    }
    assert first not in others
    assert len(others) == 3


@pytest.mark.parametrize("text", ["", " ", None])
def test_no_arguments_are_an_empty_object(text: str | None) -> None:
    given = {"annotations": {PREFIX: "resume"} | ({f"{PREFIX}-args": text} if text is not None else {})}
    command = command_in(given)
    assert command is not None
    assert command.args == {}
    assert command.by is None


@pytest.mark.parametrize("text", ["[]", "1", "nonsense", "[" * 100_000])
def test_arguments_that_are_no_object_are_none(text: str) -> None:
    command = command_in({"annotations": {PREFIX: "resume", f"{PREFIX}-args": text}})
    assert command is not None
    assert command.args is None


def test_the_removal_names_the_version_and_all_three_annotations() -> None:
    assert json.loads(json.dumps(removal("7"))) == {
        "metadata": {
            "resourceVersion": "7",
            "annotations": {PREFIX: None, f"{PREFIX}-args": None, f"{PREFIX}-id": None},
        }
    }


def test_numbers_in_arguments_keep_their_text() -> None:
    command = command_in({"annotations": {PREFIX: "skip", f"{PREFIX}-args": '{"output": 0.10}'}})
    assert command is not None
    assert command.args == {"output": Number("0.10")}


def test_a_long_id_is_told_by_its_digest() -> None:
    command = command_in({"annotations": {PREFIX: "resume", f"{PREFIX}-id": "x" * 1000}})
    assert command is not None
    assert len(command.id) == 32
