"""`kubectl flow run`: create a run with an input from a file, its numbers as they were written, and follow it."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flow_operator.api.kinds import WORKFLOW_EXECUTION
from flow_operator.api.meta import API_VERSION
from flow_operator.cli.cluster import Cluster
from flow_operator.cli.documents import documents
from flow_operator.cli.errors import Cannot
from flow_operator.cli.manifests import STANDARD_INPUT
from flow_operator.cli.terminal import print_line
from flow_operator.cli.watching import watch
from flow_operator.engine.headers import problem
from flow_operator.engine.json_text import NotJSON, TooBig, Value, parse, weigh, write
from flow_operator.engine.limits import INPUT_BYTES, KIB
from flow_operator.engine.payload import store


def run(cluster: Cluster, workflow: str, name: str | None, message: Mapping[str, Any], *, follows: bool) -> int:
    """Create a run of a workflow; with `follows`, watch it to its end, and the exit code says how it ended."""
    created = cluster.create(
        {
            "apiVersion": API_VERSION,
            "kind": WORKFLOW_EXECUTION.name,
            "metadata": {"name": name} if name else {"generateName": f"{workflow}-"},
            "spec": {"workflowRef": {"name": workflow}, **({"input": dict(message)} if message else {})},
        }
    )
    print_line(created["metadata"]["name"])
    return watch(cluster, created["metadata"]["name"], created) if follows else 0


def message(file: str | None, header: Mapping[str, str], *, raw: bool) -> dict[str, Any]:
    """The input of a run: a body as structure, or as text when the API server would change it or `raw` asks for it."""
    for name, text in header.items():
        if (wrong := problem(name, text)) is not None:
            raise Cannot(f"--header: {wrong}")
    given: dict[str, Any] = {"header": dict(header)} if header else {}
    if file is None:
        return given
    written = _text(file).strip()
    try:
        value = parse(written)
    except NotJSON:
        value = _from_yaml(file, written)
        written = write(value)
    body = {"rawBody": written} if raw else store(value)
    if len(write(value).encode()) > INPUT_BYTES or (raw and len(written.encode()) > INPUT_BYTES):
        raise Cannot(f"{file}: the input of a run has at most {INPUT_BYTES // KIB} KiB")
    return {**given, **body}


def _text(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Cannot(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Cannot(f"{file}: not UTF-8") from None


def _from_yaml(file: str, text: str) -> Value:
    found = list(documents(text))
    mistakes = [f"line {mistake.line}: {mistake.message}" for document in found for mistake in document.mistakes]
    if mistakes:
        raise Cannot(f"{file}: {'; '.join(mistakes)}")
    if len(found) != 1:
        raise Cannot(f"{file}: it must hold one value, not {len(found)}; for none leave --input out")
    try:
        weigh(found[0].value, INPUT_BYTES)
    except TooBig as error:
        raise Cannot(f"{file}: {error}") from None
    return found[0].value
