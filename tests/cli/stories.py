"""Runs made by the real engine from the directives of tests/engine/scenario.py, as the API server would hold them."""

from pathlib import Path
from typing import Any

from tests.engine.scenario import Story
from tests.engine.world import BEGINNING

from flow_operator.api.meta import API_VERSION
from flow_operator.engine.definitions.definition import Definition

ORDER = (Path(__file__).parent / "order.txt").read_text()


def begin(directives: str = "") -> Story:
    """A story about the order of order.txt, after these directives. Lines that begin with # are comments."""
    given = any(line.startswith(("input", "rawinput")) for line in directives.splitlines())
    story = Story()
    go_on(story, ORDER if given else f"{ORDER}\ninput {{}}")
    go_on(story, directives)
    return story


def go_on(story: Story, directives: str) -> None:
    """The same story, after more directives."""
    lines = [line for line in directives.splitlines() if line.strip() and not line.startswith("#")]
    while lines:
        directive = lines.pop(0)
        below: list[str] = []
        while lines and lines[0].startswith(" "):
            below.append(lines.pop(0))
        for _ in story.tell(directive, "\n".join(below)):
            pass


def execution_of(story: Story) -> dict[str, Any]:
    """The run as an object."""
    return {
        "apiVersion": API_VERSION,
        "kind": "WorkflowExecution",
        "metadata": {
            "name": "order-1",
            "namespace": "shop",
            "uid": "uid",
            "generation": story.world.generation,
            "creationTimestamp": f"{BEGINNING:%Y-%m-%dT%H:%M:%SZ}",
        },
        "spec": story.world.spec,
        "status": story.world.status.document(),
    }


def levels_of(story: Story) -> tuple[tuple[str, ...], ...] | None:
    """The levels, if the run is pinned to a definition that is there."""
    return story.world.definition.dag.levels if isinstance(story.world.definition, Definition) else None
