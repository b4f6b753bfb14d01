"""What the log says of runs."""

import logging
from typing import Any

import pytest
from tests.reconciler.stage import Stage, answer, undoable
from tests.reconciler.virtual_time import run


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    """Message and fields of each line about a run."""
    found = [each for each in caplog.records if each.name == "flow_operator.reconciler.run_log"]
    return [(each.getMessage(), getattr(each, "fields", {})) for each in found]


def play(status: int) -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.workflow(undoable("a"), undoable("b", "a"))
        stage.caller.services["b"] = answer(status)
        stage.caller.services["undo-a"] = answer(403)
        stage.start()
        await stage.until_phase("Success" if status == 200 else "Suspend")
        stage.command("abort", args='{"compensate": false}', id="one")
        await stage.until(lambda: bool(stage.lines("patch run")))

    run(story())


def test_a_run_that_succeeds_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "flow_operator")
    play(200)
    (ended, fields), (rejected, _) = lines(caplog)
    assert ended == "run shop/run ended: Success, compensation NotNeeded"
    assert rejected.startswith("run shop/run: CommandRejected: abort: the run has ended")
    assert fields.items() >= {"run": "shop/run", "workflow": "order", "phase": "Success", "reason": "Succeeded"}.items()
    assert len(fields["trace"]) == 32


def test_a_failure_a_parked_undo_and_a_command_are_lines_with_what_they_are_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "flow_operator")
    play(422)
    told = lines(caplog)
    assert [fields["reason"] for _, fields in told] == [
        "RunFailed", "CompensationParked", "CommandAccepted", "UnexpectedCode"
    ]  # fmt: skip
    assert told[1][1]["step"] == "a"
    assert told[-1][0] == "run shop/run ended: Failure, compensation Failure"


def test_nothing_is_made_up_for_a_log_that_is_not_written(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "flow_operator")
    play(200)
    assert lines(caplog) == []
