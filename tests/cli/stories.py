"""Runs made by the real engine from the directives of tests/engine/scenario.py, as the API server would hold them."""

from typing import Any

from tests.engine.scenario import BEGINNING, Story

from flow_operator.api.meta import API_VERSION
from flow_operator.engine.definition import Definition


def tell(directives: str) -> Story:
    """The story after all of its directives; lines that begin with # say what it is about."""
    story = Story()
    lines = [line for line in directives.splitlines() if line.strip() and not line.startswith("#")]
    while lines:
        directive = lines.pop(0)
        below: list[str] = []
        while lines and lines[0].startswith(" "):
            below.append(lines.pop(0))
        for _ in story.tell(directive, "\n".join(below)):
            pass
    return story


def execution_of(story: Story) -> dict[str, Any]:
    """The run as an object."""
    return {
        "apiVersion": API_VERSION,
        "kind": "WorkflowExecution",
        "metadata": {
            "name": "order-1",
            "namespace": "shop",
            "uid": "uid",
            "generation": story.generation,
            "creationTimestamp": f"{BEGINNING:%Y-%m-%dT%H:%M:%SZ}",
        },
        "spec": story.spec,
        "status": story.status.document(),
    }


def levels_of(story: Story) -> tuple[tuple[str, ...], ...] | None:
    """The levels, if the run is pinned to a definition that is there."""
    return story.definition.dag.levels if isinstance(story.definition, Definition) else None
