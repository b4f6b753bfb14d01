"""The live picture fits the terminal: what there is nothing to say about gives way first."""

from rich.console import Console
from tests.cli.stories import begin, execution_of, levels_of

from flow_operator.cli.watching import Picture


def drawn(picture: Picture, height: int) -> list[str]:
    console = Console(width=100, height=height, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_it_is_folded_only_when_it_must_be() -> None:
    story = begin("start\nanswer reserve 200\nanswer fraud 200\nanswer charge 200")
    picture = Picture((), execution_of(story), levels_of(story))
    whole = drawn(picture, 50)
    assert "  └─  – wrap     Skipped" in whole
    assert len(drawn(picture, len(whole) + 1)) == len(whole)
    folded = drawn(picture, len(whole))
    assert "1…2 ──  ✓ 4 steps done" in folded
    assert len(folded) < len(whole)


def test_trouble_stands_below_what_is_known() -> None:
    picture = Picture((), execution_of(begin()))
    picture.tell("nobody listens")
    assert drawn(picture, 50)[-1] == "! nobody listens; trying again"
    picture.tell("")
    assert "nobody" not in "\n".join(drawn(picture, 50))


def test_before_the_first_look_there_is_nothing() -> None:
    assert drawn(Picture(()), 50) == []
