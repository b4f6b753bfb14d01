"""Text of strangers, made fit for status, events and logs."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONGEST = 512
"""Characters of a message: what a hostile server puts into a status line has 16 KiB."""


def stripped(text: str) -> str:
    """The text without control characters (C0, C1, line separators) and without half characters (lone surrogates)."""
    return _CONTROL.sub("", text)


def printable(text: str) -> str:
    """One line of bounded length: runs of control characters and blanks become one blank."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
