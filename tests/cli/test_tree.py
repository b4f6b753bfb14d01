"""The picture of a run that the real engine made: each file has the story above `====`, and the picture below.

`pytest --rewrite` writes what is drawn now into the files.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from tests.cli.golden import check
from tests.cli.stories import begin, execution_of, levels_of

from flow_operator.cli.tree import render_run, render_text
from flow_operator.cli.view import Unreadable

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.txt"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_picture(path: Path, request: pytest.FixtureRequest) -> None:
    directives = path.read_text().split("\n====\n")[0].rstrip("\n")
    story = begin(directives)
    drawn = render_text(execution_of(story), levels_of(story), story.world.now)
    check(path, f"{directives}\n====\n{drawn}", request)


def test_on_a_narrow_terminal_columns_give_way_and_the_tree_stays() -> None:
    story = begin("start\nanswer reserve 200\nanswer fraud 200\nanswer charge 402\nanswer undo reserve 403")
    drawn = render_text(execution_of(story), levels_of(story), story.world.now, width=50).splitlines()
    first = drawn.index(next(line for line in drawn if "STEP" in line))
    assert drawn[first].split() == ["STEP", "PHASE", "EFFECT", "UNDO"]
    assert drawn[first + 1].startswith("1 ┬─  ✓ reserve  Success  Applied  ‖ parked #1")
    narrower = render_text(execution_of(story), levels_of(story), story.world.now, width=24).splitlines()
    assert "1 ┬─  ✓ reserve" in narrower
    assert all(len(line) <= 50 for line in drawn if "kubectl" not in line)


def test_a_run_that_nobody_has_looked_at_says_what_to_check() -> None:
    execution = execution_of(begin())
    created = datetime.fromisoformat(execution["metadata"]["creationTimestamp"])
    check = "kubectl get pods -A -l app.kubernetes.io/name=flow-operator"
    assert check not in render_text(execution, None, created + timedelta(seconds=9))
    assert check in render_text(execution, None, created + timedelta(seconds=10))


def test_a_narrow_terminal_wraps_below_the_branch_and_loses_nothing() -> None:
    story = begin("start\nanswer reserve 200\nanswer fraud 200\nanswer charge 422")
    lines = render_text(execution_of(story), levels_of(story), story.world.now, width=40).splitlines()
    assert "  │     UnexpectedCode: HTTP 422" in lines
    wrapped = lines.index("        ConditionFalse: when is false:")
    assert lines[wrapped + 1] == "        input.?gift.orValue(false)"


def test_folded_it_shows_only_levels_in_which_something_is_to_be_seen() -> None:
    story = begin("start\nanswer reserve 200\nanswer fraud 200\nanswer charge 200")
    console = Console(width=100, color_system=None, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(render_run(execution_of(story), levels_of(story), story.world.now, folded=True))
    lines = [line.rstrip() for line in captured.get().splitlines()]
    assert lines[4:] == [
        "1…2 ──  ✓ 4 steps done",
        "  3 ──  ▸ ship  Running          1         0s",
        "  4 ──  ○ 2 steps Pending",
    ]


def test_text_of_strangers_neither_moves_the_cursor_nor_is_markup() -> None:
    execution = execution_of(begin())
    execution["status"] = {
        "phase": "Failure",
        "startTime": "2026-01-01T00:00:00Z",
        "reason": "\x1b[2J[red]Odd[/]",
        "message": "one\ntwo\u202e\x07",
        "steps": [{"id": "a", "phase": "Failure", "reason": "R", "message": "[bold]\x9b1A\r"}],
    }
    text = render_text(execution, None, NOW)
    assert text.replace("\n", "").isprintable()
    assert "[red]Odd[/]" in text
    assert "R: [bold]" in text


def test_commands_name_the_cluster_that_was_named() -> None:
    story = begin("start\ncommand suspend")
    text = render_text(execution_of(story), None, story.world.now, access=("--context", "my cluster"))
    assert "kubectl flow resume order-1 --context 'my cluster' -n shop\n" in text


def test_a_status_of_another_version_is_said_to_be_one() -> None:
    execution = {**execution_of(begin()), "status": {"phase": "Dreaming"}}
    with pytest.raises(Unreadable, match=r"status\.phase"):
        render_text(execution, None, NOW)


def test_without_colour_there_is_no_control_character_at_all() -> None:
    story = begin("start\nanswer reserve 200\nanswer fraud 422\nanswer undo reserve 403")
    assert "\x1b" not in render_text(execution_of(story), levels_of(story), story.world.now)
