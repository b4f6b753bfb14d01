"""`kubectl flow describe`: a run as it stands, or one of its requests, byte for byte."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from flow_operator.adapters.clock import now
from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.status import CallStatus, Direction, Phase
from flow_operator.cli.cluster import Cluster
from flow_operator.cli.errors import Cannot
from flow_operator.cli.terminal import is_terminal, print_error, print_line, screen
from flow_operator.cli.tree import render_run, render_text
from flow_operator.cli.view import RunView
from flow_operator.engine.contract import Attempt, Run
from flow_operator.engine.definitions.definition import Definition
from flow_operator.engine.definitions.field_mistakes import explain
from flow_operator.engine.identity import idempotency_key
from flow_operator.engine.requests import Rendered, Unrenderable, attempt_of, rendered
from flow_operator.engine.snapshot import Snapshot
from flow_operator.engine.state import call_of

UNWRAPPED = 10_000
"""Columns of a pipe: a line stays a line."""


def describe(cluster: Cluster, name: str) -> int:
    """Print the picture of a run."""
    run = cluster.run(name)
    definition = cluster.definition(run)
    levels = definition.dag.levels if definition else None
    if is_terminal():
        screen().print(render_run(run, levels, now(), cluster.options))
    else:
        print_line(render_text(run, levels, now(), cluster.options, UNWRAPPED).rstrip("\n"))
    return 0


def describe_request(cluster: Cluster, name: str, step: str, direction: Direction, service_url: str) -> int:
    """Print the request of a step; what is to be known about it goes to standard error."""
    run = cluster.run(name)
    snapshot = _snapshot(cluster, run)
    if step not in snapshot.steps:
        raise Cannot(f"{name} has no step {step}: it has {', '.join(snapshot.steps)}")
    if direction is Direction.UNDO and snapshot.definition.by_id[step].compensate is None:
        raise Cannot(f"{step} has no undo")
    call = call_of(snapshot.status, step, direction) or CallStatus(phase=Phase.PENDING)
    try:
        sent = rendered(snapshot, step, direction, service_url, call.request.url if call.request else None)
    except Unrenderable as error:
        raise Cannot(f"the request cannot be built: {error.reason}: {error}") from None
    attempt = _attempt(snapshot, step, direction, call, sent)
    header = {name: value for name, value in attempt.request.header.items() if call.attempt_id or name != "traceparent"}
    print_line(f"{sent.method} {sent.url}")
    print_line("".join(f"{name}: {header[name]}\n" for name in sorted(header)))
    if sent.body is not None:
        print_line(sent.body.decode())
    print_error(f"# {_standing(snapshot, step, direction, call, sent)}")
    return 0


def _snapshot(cluster: Cluster, run: Mapping[str, Any]) -> Snapshot:
    view = RunView.of(run)
    definition = cluster.definition(run)
    if view.status.revision is None:
        raise Cannot(f"{view.name} has not started, so it is not pinned to a definition yet")
    if definition is None:
        raise Cannot(f"the ControllerRevision {view.status.revision} is gone, or you may not read it")
    return Snapshot(_run(run, view), definition, view.status)


def _run(run: Mapping[str, Any], view: RunView) -> Run:
    try:
        spec = ExecutionSpec.model_validate(run.get("spec"))
    except ValidationError as error:
        said = explain(error.errors()[0])
        raise Cannot(f"the spec of {view.name} is not one that this version understands: {said}") from None
    return Run(view.namespace, view.name, run["metadata"]["uid"], run["metadata"]["generation"], spec)


def _attempt(snapshot: Snapshot, step: str, direction: Direction, call: CallStatus, sent: Rendered) -> Attempt:
    """The last attempt that was sent, or the first that would be."""
    key = call.idempotency_key or idempotency_key(snapshot.run.uid, step, direction, call.generation)
    filled = call.model_copy(
        update={
            "attempt_id": call.attempt_id or "none is in flight",
            "idempotency_key": key,
            "attempts": max(1, call.attempts),
        }
    )
    return attempt_of(snapshot, step, direction, filled, sent)


def _standing(snapshot: Snapshot, step: str, direction: Direction, call: CallStatus, sent: Rendered) -> str:
    """What this request is to the run."""
    if call.request is not None and call.request.digest == sent.record.digest:
        return f"as it was sent: {sent.record.digest} is the digest that was stored"
    if call.request is not None:
        return f"not the one that was sent: its digest is {sent.record.digest}, stored was {call.request.digest}"
    open_ones = _not_ended(snapshot.definition, snapshot, step, direction)
    until = f", before {', '.join(open_ones)} ended" if open_ones else ""
    return f"not sent; this is what it would be now{until}"


def _not_ended(definition: Definition, snapshot: Snapshot, step: str, direction: Direction) -> list[str]:
    before = {*definition.dag.ancestors[step], *([step] if direction is Direction.UNDO else [])}
    running = {Phase.PENDING, Phase.RUNNING, Phase.SUSPEND}
    return [id for id in snapshot.steps if id in before and snapshot.steps[id].phase in running]
