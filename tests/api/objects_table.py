"""The objects in tests/api/objects/: what the API server takes and what it refuses, and with which words.

The models are read against the same table as the real API server, so the two cannot drift apart.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flow_operator.api.meta import API_VERSION

FOLDER = Path(__file__).parent / "objects"


@dataclass(frozen=True)
class Refused:
    """An object that the API server refuses: why it should, and the field and the words that it names."""

    why: str
    field: str
    message: str
    object: dict[str, Any]
    seen_by: str = "models"


def accepted() -> list[dict[str, Any]]:
    """Every object that is accepted."""
    return [complete(document) for document in _documents("accepted.yaml")]


def refused() -> list[Refused]:
    """Every object that is refused."""
    written = [Refused(**{**case, "object": complete(case["object"])}) for case in _documents("refused.yaml")]
    return [*written, _too_many_steps()]


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The object with its apiVersion, and with a name if it has none."""
    return {"apiVersion": API_VERSION, "metadata": {"name": "some-name"}, **document}


def steps(count: int) -> dict[str, Any]:
    """A Workflow with so many steps, each with an undo: the largest that the schema's rules must be checked on."""
    call = {"endpoint": {"url": "http://a"}, "compensate": {"endpoint": {"url": "http://a"}}}
    return complete({"kind": "Workflow", "spec": {"steps": [{"id": f"s{number}", **call} for number in range(count)]}})


def _too_many_steps() -> Refused:
    return Refused("a workflow has at most 200 steps", "spec.steps", "must have at most 200 items", steps(201))


def _documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))
