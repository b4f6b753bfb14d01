"""Durations as people write them in Kubernetes: `500ms`, `10s`, `1h30m`, `7d`."""

import re
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from flow_operator.api.meta import simple

PATTERN = r"^([0-9]+(ms|s|m|h|d))+$"
LONGEST = 10 * 365 * 24 * 3600.0
MAX_LENGTH = 32

_PART = re.compile(r"([0-9]+)(ms|s|m|h|d)")
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@lru_cache(maxsize=1024)
def seconds(text: str) -> float:
    """The length of a duration in seconds. Raises ValueError when it is none, or longer than ten years."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is not a duration: write for example 500ms, 10s, 1h30m or 7d")
    total = sum(int(number) * _UNIT[unit] for number, unit in _PART.findall(text))
    if total > LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return total


def written(total: float) -> str:
    """A number of seconds as a person would write it, to the millisecond under a minute and to the second above."""
    milliseconds = round(total * 1000)
    if milliseconds < 60_000:
        whole, rest = divmod(milliseconds, 1000)
        return f"{whole}s" if rest == 0 else f"{whole}s{rest}ms" if whole else f"{rest}ms"
    parts, left = "", round(total)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        parts += f"{count}{unit}" if count else ""
    return parts


def _checked(text: str) -> str:
    seconds(text)
    return text


def _no_number(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(f"a duration needs a unit, got {value}: write {value}s if seconds are meant")
    return value


Duration = Annotated[
    str,
    StringConstraints(pattern=PATTERN, max_length=MAX_LENGTH),
    AfterValidator(_checked),
    BeforeValidator(_no_number),
    simple("duration", "Numbers with a unit each, added up: `500ms`, `10s`, `1h30m`, `7d`. At most ten years."),
]
