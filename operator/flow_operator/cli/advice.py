"""What a person can do now: each way out with the command that takes it, ready to be copied."""

import shlex
from collections.abc import Iterator
from datetime import datetime

from flow_operator.api.reasons import Reason
from flow_operator.api.status import CompensationPhase, Phase, StepStatus
from flow_operator.cli.headline import left_in_effect
from flow_operator.cli.view import RunView, last_attempt, names
from flow_operator.engine.state import forward_over
from flow_operator.engine.suspension import suspended_by

OPERATOR_LABEL = "app.kubernetes.io/name=flow-operator"
"""What the chart puts on the operator."""
Way = tuple[str, str]
"""A command, and what it does."""


def advice(run: RunView, now: datetime, access: tuple[str, ...] = ()) -> list[Way]:
    """The ways out of what the run waits for; none when it needs nobody.

    `access` holds the options, such as --context, that each command needs to reach the same cluster.
    """
    ways = _operator_absent() if run.unnoticed(now) else _ways(run)
    return [(_typed(words, run.namespace, access), meaning) for words, meaning in ways]


def _typed(words: list[str], namespace: str, access: tuple[str, ...]) -> str:
    """The command as it can be pasted. Who did it by hand is filled in by the shell."""
    where = [] if "-A" in words else ["-n", namespace]
    reason = ' --reason "done by hand by $USER"' if words[:3] == ["kubectl", "flow", "skip"] else ""
    return shlex.join([*words, *access, *where]) + reason


def _operator_absent() -> Iterator[tuple[list[str], str]]:
    selector = ["-A", "-l", OPERATOR_LABEL]
    yield ["kubectl", "get", "pods", *selector], "does the operator run, and is it ready?"
    yield (
        ["kubectl", "get", "deployments", *selector, "-o", "yaml"],
        "does it watch this namespace? FLOW_NAMESPACES lists those that it watches; without it all",
    )
    yield (
        ["kubectl", "get", "leases", "-A"],
        "does a replica hold the leases flow-operator…? Without one nothing is started",
    )


def remark(run: RunView) -> list[str]:
    """What stays of a run that has ended otherwise than in Success, with what it takes to look it up."""
    compensation = run.status.compensation
    if not run.ended or run.succeeded or (compensation and compensation.phase is CompensationPhase.SUCCESS):
        return []
    left = left_in_effect(run)
    return ["Not undone:", *(line for step in left for line in _left(step))] if left else []


def _left(step: StepStatus) -> Iterator[str]:
    key = f", key {step.idempotency_key}" if step.idempotency_key else ""
    yield f"  {step.id} ({step.effect}){key}"
    for prefix, call in (("", step), ("undo: ", step.compensation)):
        if call is not None and (last := last_attempt(call)):
            yield f"    {prefix}{last}"


def _ways(run: RunView) -> Iterator[tuple[list[str], str]]:
    status = run.status
    if run.ended:
        return
    if run.frozen:
        yield from _frozen(run)
    elif status.phase is Phase.SUSPEND:
        for step in run.waiting:
            yield from _waiting(run, step)
        yield from _abort(run)
    elif status.reason in (Reason.WORKFLOW_NOT_FOUND, Reason.STEP_NOT_FOUND):
        yield ["kubectl", "get", "fwf,fstep"], "what is there; the run starts by itself when what is missing appears"
        yield from _abort(run)
    elif status.reason in (Reason.WORKFLOW_NOT_READY, Reason.STEP_NOT_READY):
        yield ["kubectl", "describe", "fwf", run.workflow], "what is wrong with it; the run starts once that is mended"
        yield from _abort(run)
    elif status.reason == Reason.REVISION_NOT_FOUND and status.revision:
        revision = ["kubectl", "get", "controllerrevision", status.revision]
        yield revision, "what is missing; the run goes on when it is restored from a backup"


def _frozen(run: RunView) -> Iterator[tuple[list[str], str]]:
    if suspended_by(run.status) == Reason.SUSPENDED_BY_COMMAND:
        yield ["kubectl", "flow", "resume", run.name], "go on"
    if run.held_by_spec:
        patch = '{"spec":{"suspend":false}}'
        yield ["kubectl", "patch", "fwx", run.name, "--type=merge", "-p", patch], "go on: spec.suspend holds it"
    yield from _abort(run)


def _waiting(run: RunView, step: StepStatus) -> Iterator[tuple[list[str], str]]:
    undo = step.phase is not Phase.SUSPEND
    call = step.compensation if undo and step.compensation else step
    flags = ["--undo"] if undo else []
    doing = f"undoing {step.id}" if undo else step.id
    if call.reason == Reason.REQUEST_CHANGED:
        meaning = f"try {doing} with a new key: you state that the service will not do it twice"
        yield ["kubectl", "flow", "retry", run.name, step.id, "--new-key"], meaning
    else:
        yield ["kubectl", "flow", "retry", run.name, step.id], f"try {doing} again, under the same key"
    done = f"you did it by hand, and {step.id} counts as {'undone' if undo else 'done'}: change the reason as you like"
    yield ["kubectl", "flow", "skip", run.name, step.id], done
    yield ["kubectl", "flow", "describe", run.name, "--request", step.id, *flags], "the request that it is about"


def _abort(run: RunView) -> Iterator[tuple[list[str], str]]:
    status = run.status
    abort = ["kubectl", "flow", "abort", run.name]
    if status.start_time is None:
        yield abort, "end it; nothing was called yet"
    elif not forward_over(status):
        yield abort, "end it, and undo what was done"
        yield [*abort, "--no-compensate"], "end it, and leave what was done as it is"
    else:
        left = names(left_in_effect(run))
        yield [*abort, "--no-compensate"], f"give up undoing; what is not undone stays: {left}"
