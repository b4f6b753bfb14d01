"""Every text scenario, played. `pytest --rewrite` updates their expectations."""

import difflib
import re
from pathlib import Path

import pytest
from tests.engine.scenario import Story

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("**/*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path, request: pytest.FixtureRequest) -> None:
    written = path.read_text()
    played = play(written)
    if request.config.getoption("--rewrite"):
        path.write_text(played)
    elif played != written:
        pytest.fail("\n" + "\n".join(difflib.unified_diff(written.splitlines(), played.splitlines(), "file", "engine")))


def test_there_are_many_and_each_says_what_it_shows() -> None:
    assert len(SCENARIOS) >= 80
    for path in SCENARIOS:
        assert re.match(r"# .*\.\n", re.sub(r"\n# ", " ", path.read_text())), f"{path} does not begin with a sentence"


def test_no_two_scenarios_are_the_same() -> None:
    told = [re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE) for path in SCENARIOS]
    assert len(set(told)) == len(told)


def play(text: str) -> str:
    """The scenario with what the engine does now below each `----`."""
    story = Story()
    blocks = re.split(r"\n\s*\n", text.strip("\n"))
    return "\n\n".join(_play_block(story, block) for block in blocks) + "\n"


def _play_block(story: Story, block: str) -> str:
    directives = block.split("\n----")[0]
    lines = list(_told(story, directives))
    return "\n".join([directives, "----", *lines]) if lines or "\n----" in block else directives


def _told(story: Story, block: str) -> list[str]:
    told: list[str] = []
    lines = [line for line in block.splitlines() if not line.startswith("#")]
    while lines:
        directive = lines.pop(0)
        indented: list[str] = []
        while lines and lines[0].startswith(" "):
            indented.append(lines.pop(0))
        told += story.tell(directive, "\n".join(indented))
    return told
