"""What `watch` prints in a pipe: each file is a story in blocks; below `----` stand the lines after that block.

`pytest --rewrite` writes what is printed now into the files.
"""

import re
from pathlib import Path

import pytest
from tests.cli.golden import check
from tests.cli.stories import begin, execution_of, go_on

from flow_operator.cli.changes import changes
from flow_operator.cli.view import RunView

STORIES = sorted((Path(__file__).parent / "lines").glob("*.txt"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_lines(path: Path, request: pytest.FixtureRequest) -> None:
    check(path, _played(path.read_text()), request)


def _played(text: str) -> str:
    story, seen, played = begin(), None, []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        directives = block.split("\n----")[0]
        go_on(story, directives)
        view = RunView.of(execution_of(story))
        played.append("\n".join([directives, "----", *changes(seen, view)]))
        seen = view
    return "\n\n".join(played) + "\n"
