"""Files that hold what a program printed: compared, or with `--rewrite` written anew."""

import difflib
from pathlib import Path

import pytest


def check(path: Path, printed: str, request: pytest.FixtureRequest) -> None:
    """The file must hold this text."""
    if request.config.getoption("--rewrite"):
        path.write_text(printed)
        return
    written = path.read_text() if path.exists() else ""
    if printed != written:
        lines = difflib.unified_diff(written.splitlines(), printed.splitlines(), "file", "printed", lineterm="")
        pytest.fail("\n".join(["", *lines]))
