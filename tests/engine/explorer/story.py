"""A way through the walk as the text of a scenario: it can be pasted into tests/engine/scenarios and played."""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml
from tests.engine.explorer.moves import LOOK, Move


def story(title: str, spec: dict[str, Any], moves: Iterable[Move]) -> str:
    """The scenario in which this happens."""
    lines = [f"# {title}", "", "workflow", *_workflow(spec), "", "start", *_directives(moves), "----"]
    return "\n".join(lines) + "\n"


def _workflow(spec: dict[str, Any]) -> Iterator[str]:
    yield "  steps:"
    yield from (f"  - {_flow(step)}" for step in spec["steps"])
    yield from (f"  {name}: {_flow(value)}" for name, value in spec.items() if name != "steps")


def _flow(value: Any) -> str:
    return yaml.dump(value, Dumper=_Plain, default_flow_style=True, sort_keys=False, width=10**6).strip()


class _Plain(yaml.SafeDumper):
    """Writes what occurs twice twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _directives(moves: Iterable[Move]) -> Iterator[str]:
    """One line for each; what happens before the operator looks is told together."""
    news: list[str] = []
    for move in moves:
        news += [] if move is LOOK else [move.text]
        if move is LOOK or move.kind == "command":
            yield from _together(news)
            news = []
    yield from _together(news)


def _together(news: list[str]) -> Iterator[str]:
    if len(news) < 2:
        yield from news
    else:
        yield "together"
        yield from (f"  {each}" for each in news)
