"""The verbs: set the annotations in one write, then wait for the operator's answer in the status."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flow_operator.api.meta import (
    COMMAND_ANNOTATION,
    COMMAND_ANNOTATIONS,
    COMMAND_ARGS_ANNOTATION,
    COMMAND_ID_ANNOTATION,
)
from flow_operator.cli.advice import OPERATOR_LABEL
from flow_operator.cli.cluster import Cluster, Object
from flow_operator.cli.errors import Cannot
from flow_operator.cli.following import follow
from flow_operator.cli.terminal import print_error, print_line
from flow_operator.cli.view import RunView
from flow_operator.cli.words import clean
from flow_operator.engine.expressions.json_text import Value, write

ACCEPTED, REJECTED = 0, 1
QUIET_SECONDS = 2.0
"""How long the operator may take before the person is told that it takes long."""


def command(
    cluster: Cluster,
    name: str,
    verb: str,
    args: Mapping[str, Value],
    wait: float | None,
    follows: Callable[[Object], int] | None = None,
) -> int:
    """Give a command, and wait some seconds for what becomes of it; None does not wait.

    `follows` is called with the run once the command is accepted, and says how it went on.
    """
    id = secrets.token_hex(8)
    annotations = {COMMAND_ANNOTATION: verb, COMMAND_ARGS_ANNOTATION: write(dict(args)), COMMAND_ID_ANNOTATION: id}
    patched = cluster.annotate(name, annotations)
    if wait is None:
        print_line(f"{verb}: given to {name}, as command {id}")
        return ACCEPTED
    for run in _answers(cluster, name, patched, wait):
        last = RunView.of(run).status.last_command
        if last is not None and last.id == id:
            print_line(clean(f"{last.result}: {last.message}"))
            accepted = last.result == "Accepted"
            return follows(run) if accepted and follows else ACCEPTED if accepted else REJECTED
        _not_replaced(run, id, verb)
    take_back = cluster.command("kubectl", "annotate", "fwx", name, *(f"{each}-" for each in COMMAND_ANNOTATIONS))
    raise Cannot(
        f"no answer within {wait:g}s: is the operator running? The command stays, and is carried out once it is. "
        f"Take it back with: {take_back}"
    )


def _answers(cluster: Cluster, name: str, patched: Object, wait: float) -> Iterator[Object]:
    """The versions of the run until time is up; a person who has to wait is told why."""
    last = patched
    for last in follow(cluster, name, patched, min(QUIET_SECONDS, wait), trouble=_tell):
        yield last
    if wait > QUIET_SECONDS:
        check = f"kubectl get pods -A -l {OPERATOR_LABEL}"
        _tell(f"no answer from the operator yet, waiting up to {wait:g}s. Is it running? Check with: {check}")
        yield from follow(cluster, name, last, wait - QUIET_SECONDS, trouble=_tell)


def _not_replaced(run: Object, id: str, verb: str) -> None:
    annotations: Mapping[str, Any] = run["metadata"].get("annotations") or {}
    if annotations.get(COMMAND_ID_ANNOTATION, id) != id:
        other = annotations.get(COMMAND_ANNOTATION)
        raise Cannot(f"another command ({other}) took the place of {verb} before the operator had read it")


def _tell(trouble: str) -> None:
    if trouble:
        print_error(trouble)
