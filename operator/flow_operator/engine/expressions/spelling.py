"""Names that were meant: what a misspelt word is closest to."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_LONGEST: Final = 64


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean requires?`, or nothing when no known name is like the word."""
    names = {name.lower(): name for name in sorted(known)}
    close = get_close_matches(word.lower(), names, n=1, cutoff=0.7) if len(word) <= _LONGEST else []
    return f"; did you mean {names[close[0]]}?" if close else ""
