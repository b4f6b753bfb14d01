"""The picture of a run that the real engine made: each file has the story above `====`, and the picture below.

`pytest --rewrite` writes what is drawn now into the files.
"""

import difflib
from pathlib import Path

import pytest
from tests.cli.stories import execution_of, levels_of, tell

from flow_operator.cli.tree import render_text

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.txt"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_picture(path: Path, request: pytest.FixtureRequest) -> None:
    written = path.read_text()
    directives = written.split("\n====\n")[0].rstrip("\n")
    story = tell(directives)
    drawn = f"{directives}\n====\n{render_text(execution_of(story), levels_of(story), story.world.now)}"
    if request.config.getoption("--rewrite"):
        path.write_text(drawn)
    elif drawn != written:
        pytest.fail("\n" + "\n".join(difflib.unified_diff(written.splitlines(), drawn.splitlines(), "file", "drawn")))
