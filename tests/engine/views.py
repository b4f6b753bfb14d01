"""What a scenario can ask to be shown.

run | waiting | conditions | compensation | plan | output | steps | command | generation
STEP | undo STEP | log [undo] STEP | request [undo] STEP
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from tests.engine.printer import call_line, moment, run_line

from flow_operator.api.status import CallStatus, Condition, Direction, ExecutionStatus, Finding
from flow_operator.engine.contract import Attempt
from flow_operator.engine.messages.payload import load
from flow_operator.engine.state import call_of, step_of


def show(status: ExecutionStatus, what: str, beginning: datetime) -> Iterator[str]:
    """The lines about one thing."""
    words = what.split(" ")
    if what == "compensation":
        return _compensation(status, beginning)
    if what in OF_RUN:
        return OF_RUN[what](status)
    direction = Direction.UNDO if "undo" in words else Direction.DO
    call = call_of(status, words[-1], direction)
    assert call is not None, f"{what} is not there"
    if words[0] == "log":
        return _log(call, beginning)
    if words[0] == "request":
        return iter([json.dumps(call.request.document(), sort_keys=True) if call.request else "none"])
    return _call(status, words[-1], direction, call, beginning)


def conditions(them: Iterable[Condition]) -> Iterator[str]:
    """Every condition."""
    for each in them:
        yield f"{each.type}={each.status} {each.reason}" + (f": {each.message}" if each.message else "")


def sent(attempt: Attempt) -> Iterator[str]:
    """What was sent, header by header. The span differs for each attempt, the trace does not."""
    yield f"{attempt.request.method} {attempt.request.url}"
    for name, value in sorted(attempt.request.header.items()):
        yield f"{name}: {'00-…-01' if name == 'traceparent' else value}"
    if attempt.request.body is not None:
        yield attempt.request.body.decode()


def findings(found: list[Finding]) -> Iterator[str]:
    """Every finding, or that there is none."""
    yield from (f"{each.path}: {each.reason}: {each.message}" for each in found)
    if not found:
        yield "none"


def _run(status: ExecutionStatus) -> Iterator[str]:
    yield run_line(status)
    yield f"progress {status.progress}, duration {status.duration}, suspended {status.suspended_seconds:g}s"


def _waiting(status: ExecutionStatus) -> Iterator[str]:
    yield json.dumps(status.waiting.document(), sort_keys=True) if status.waiting else "nothing"


def _plan(status: ExecutionStatus) -> Iterator[str]:
    for undo in (status.compensation and status.compensation.plan) or ():
        yield f"undo {undo.step}" + (f" after {', '.join(undo.after)}" if undo.after else "")


def _compensation(status: ExecutionStatus, beginning: datetime) -> Iterator[str]:
    """The backward part, with its times."""
    found = status.compensation
    assert found is not None
    start = moment(found.start_time - beginning) if found.start_time else "never"
    end = moment(found.completion_time - beginning) if found.completion_time else "never"
    yield f"{found.phase} by {found.trigger}, began {start}, ended {end}"


def _output(status: ExecutionStatus) -> Iterator[str]:
    yield json.dumps(status.output.document()) if status.output else "none"


def _steps(status: ExecutionStatus) -> Iterator[str]:
    yield ", ".join(f"{step.id} {step.phase}" for step in status.steps)
    yield f"revision {status.revision}"


def _command(status: ExecutionStatus) -> Iterator[str]:
    assert status.last_command is not None
    yield json.dumps(status.last_command.document())


def _generation(status: ExecutionStatus) -> Iterator[str]:
    yield str(status.observed_generation)
    yield ", ".join(f"{each.type} {each.observed_generation}" for each in status.conditions)


OF_RUN: Mapping[str, Callable[[ExecutionStatus], Iterator[str]]] = {
    "run": _run,
    "waiting": _waiting,
    "conditions": lambda status: conditions(status.conditions),
    "plan": _plan,
    "output": _output,
    "steps": _steps,
    "command": _command,
    "generation": _generation,
}


def _call(
    status: ExecutionStatus, id: str, direction: Direction, call: CallStatus, beginning: datetime
) -> Iterator[str]:
    yield call_line(id, direction, call, beginning)
    yield f"key {call.idempotency_key}, attempts {call.attempts}"
    if call.response:
        yield f"response {call.response.code} {load(call.response.document())!r}"
    if direction is Direction.UNDO:
        return
    step = step_of(status, id)
    if step.suspended_seconds:
        yield f"suspended {step.suspended_seconds:g}s"
    if step.output:
        yield f"output {json.dumps(step.output.document())}"


def _log(call: CallStatus, beginning: datetime) -> Iterator[str]:
    for entry in call.attempt_log:
        line = f"#{entry.attempt} at {moment(entry.time - beginning)} took {entry.duration}"
        line += f" {entry.verdict}/{entry.effect}"
        yield line + (f" {entry.code}" if entry.code else "") + (f" {entry.reason}" if entry.reason else "")
