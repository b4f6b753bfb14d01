"""Where the operator's CPU time goes, by whose code it is: what a profile says without its thousand lines.

The time of a builtin counts for whose code called it.
"""

import pstats
from collections import Counter
from pathlib import Path

Function = tuple[str, int, str]

_ROOMS = ("engine", "reconciler", "adapters", "handlers", "api")
_LIBRARIES = ("kopf", "aiohttp", "pydantic", "prometheus_client", "asyncio", "json", "ssl")


def rooms(path: Path) -> Counter[str]:
    """Seconds by room of the operator, or by library."""
    spent: Counter[str] = Counter()
    functions = pstats.Stats(str(path)).stats  # type: ignore[attr-defined]
    for function, (_, _, seconds, _, callers) in functions.items():
        if not _is_builtin(function) or not callers:
            spent[_room(function)] += seconds
            continue
        for caller, (_, _, part, _) in callers.items():
            spent[_room(caller)] += part
    return spent


def _is_builtin(function: Function) -> bool:
    return function[0] in ("~", "") or function[0].startswith("<")


def _room(function: Function) -> str:
    parts = Path(function[0]).parts
    if "flow_operator" in parts:
        return next((f"flow_operator.{room}" for room in _ROOMS if room in parts), "flow_operator")
    return next((library for library in _LIBRARIES if library in parts), "everything else")
