"""The manifests of the order saga, for services that listen on other ports than the files name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DIRECTORY = Path(__file__).parent
DEFINITIONS = ("steps.yaml", "workflow.yaml")


def documents(path: Path, ports: Mapping[str, int]) -> list[dict[str, Any]]:
    """The objects in a file, with every endpoint of a service on the port that `ports` has for it."""
    found = list(yaml.safe_load_all(path.read_text()))
    for endpoint in _endpoints(found):
        endpoint["port"] = ports[endpoint["service"]]
    return found


def definitions(ports: Mapping[str, int]) -> list[dict[str, Any]]:
    """The Steps and the Workflow."""
    return [document for name in DEFINITIONS for document in documents(DIRECTORY / name, ports)]


def render(directory: Path, ports: Mapping[str, int]) -> None:
    """Write the definitions to `directory`, for kubectl."""
    for name in DEFINITIONS:
        text = yaml.safe_dump_all(documents(DIRECTORY / name, ports), sort_keys=False)
        (directory / name).write_text(text)


def _endpoints(value: Any) -> list[dict[str, Any]]:
    """Every endpoint with a service, at whatever depth."""
    if isinstance(value, list):
        return [endpoint for item in value for endpoint in _endpoints(item)]
    if not isinstance(value, dict):
        return []
    own = [value["endpoint"]] if "service" in value.get("endpoint", {}) else []
    return own + [endpoint for item in value.values() for endpoint in _endpoints(item)]
