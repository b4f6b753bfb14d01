"""`kubectl flow run`: create a run with an input from a file, its numbers as they were written, and follow it."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flow_operator.api.kinds import WORKFLOW, WORKFLOW_EXECUTION
from flow_operator.api.meta import API_VERSION, GROUP
from flow_operator.cli.cluster import Cluster, Object
from flow_operator.cli.documents import documents
from flow_operator.cli.errors import Cannot, Forbidden, NotThere
from flow_operator.cli.manifests import STANDARD_INPUT
from flow_operator.cli.terminal import is_terminal, print_error, print_line
from flow_operator.engine.expressions.json_text import NotJSON, TooBig, Value, parse, weigh, write
from flow_operator.engine.messages.headers import problem
from flow_operator.engine.messages.limits import INPUT_BYTES, KIB
from flow_operator.engine.messages.payload import store

FINDINGS_SHOWN = 3


def run(
    cluster: Cluster,
    workflow: str,
    name: str | None,
    message: Mapping[str, Any],
    follows: Callable[[Object], int] | None,
) -> int:
    """Create a run of a workflow. `follows` is called with it, and says how it ended."""
    if wrong := _not_runnable(cluster, workflow):
        if follows and not is_terminal():
            raise Cannot(f"{wrong}; no run was created")
        print_error(f"{wrong}; the run waits until that is mended")
    created = cluster.create(
        {
            "apiVersion": API_VERSION,
            "kind": WORKFLOW_EXECUTION.name,
            "metadata": {"name": name} if name else {"generateName": f"{workflow}-"},
            "spec": {"workflowRef": {"name": workflow}, **({"input": dict(message)} if message else {})},
        }
    )
    print_line(created["metadata"]["name"])
    return follows(created) if follows else 0


def _not_runnable(cluster: Cluster, workflow: str) -> str | None:
    """Why a run of this workflow would not start; None when it would, or when the operator has not judged it yet."""
    try:
        found = cluster.definition_object(WORKFLOW, workflow)
    except NotThere as error:
        return str(error)
    except Forbidden:
        return None  # who may create runs need not be able to read what they run
    status = found.get("status") or {}
    ready = next((each for each in status.get("conditions") or () if each.get("type") == "Ready"), None)
    current = status.get("observedGeneration") == found["metadata"].get("generation")
    if ready is None or ready.get("status") != "False" or not current:
        return None
    findings = [f"{each['path']}: {each['message']}" for each in status.get("findings") or ()]
    told = "; ".join(findings[:FINDINGS_SHOWN]) or ready.get("message")
    more = f"; and {len(findings) - FINDINGS_SHOWN} more" if len(findings) > FINDINGS_SHOWN else ""
    look = cluster.command("kubectl", "describe", "fwf", workflow)
    return f"the Workflow {workflow} is not ready: {ready.get('reason')}: {told}{more} ({look})"


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
    _no_manifest(file, value)
    body = {"rawBody": written} if raw else store(value)
    if len(write(value).encode()) > INPUT_BYTES or (raw and len(written.encode()) > INPUT_BYTES):
        raise Cannot(f"{file}: the input of a run has at most {INPUT_BYTES // KIB} KiB")
    return {**given, **body}


def _no_manifest(file: str, value: Value) -> None:
    """A manifest says more than an input (which workflow, its name, suspend, …), which would be lost in silence."""
    if not isinstance(value, dict) or not str(value.get("apiVersion", "")).startswith(f"{GROUP}/"):
        return
    instead = "create it with kubectl create -f, then follow it with kubectl flow watch"
    if value.get("kind") != WORKFLOW_EXECUTION.name:
        instead = "apply it with kubectl apply -f, then start it with kubectl flow run"
    raise Cannot(
        f"{file}: this is the manifest of a {value.get('kind')}, not the body of an input: {instead}; "
        "or give the value of its spec.input.body alone"
    )


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
