"""The verbs: set the annotations in one write, then wait for the operator's answer in the status."""

import secrets
from collections.abc import Mapping
from typing import Any

from flow_operator.api.meta import (
    COMMAND_ANNOTATION,
    COMMAND_ANNOTATIONS,
    COMMAND_ARGS_ANNOTATION,
    COMMAND_ID_ANNOTATION,
)
from flow_operator.cli.cluster import Cluster, Object
from flow_operator.cli.errors import Cannot
from flow_operator.cli.following import follow
from flow_operator.cli.terminal import print_error, print_line
from flow_operator.cli.view import RunView
from flow_operator.engine.json_text import Value, write

ACCEPTED, REJECTED = 0, 1


def command(cluster: Cluster, name: str, verb: str, args: Mapping[str, Value], wait: float | None) -> int:
    """Give a command, and wait some seconds for what becomes of it; None does not wait."""
    id = secrets.token_hex(8)
    annotations = {COMMAND_ANNOTATION: verb, COMMAND_ARGS_ANNOTATION: write(dict(args)), COMMAND_ID_ANNOTATION: id}
    patched = cluster.annotate(name, annotations)
    if wait is None:
        print_line(f"{verb}: given to {name}, as command {id}")
        return ACCEPTED
    for run in follow(cluster, name, patched, within=wait, trouble=_tell):
        last = RunView.of(run).status.last_command
        if last is not None and last.id == id:
            print_line(f"{last.result}: {last.message}")
            return ACCEPTED if last.result == "Accepted" else REJECTED
        _not_replaced(run, id, verb)
    raise Cannot(
        f"no answer within {wait:g}s: is the operator running? The command stays, and is carried out once it is. "
        f"Take it back with: kubectl annotate fwx {name} -n {cluster.namespace} "
        + " ".join(f"{annotation}-" for annotation in COMMAND_ANNOTATIONS)
    )


def _not_replaced(run: Object, id: str, verb: str) -> None:
    annotations: Mapping[str, Any] = run["metadata"].get("annotations") or {}
    if annotations.get(COMMAND_ID_ANNOTATION, id) != id:
        other = annotations.get(COMMAND_ANNOTATION)
        raise Cannot(f"another command ({other}) took the place of {verb} before the operator had read it")


def _tell(trouble: str) -> None:
    if trouble:
        print_error(trouble)
