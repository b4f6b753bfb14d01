"""How a scenario tells what the engine did: short lines that read like a log."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from flow_operator.api.duration import written
from flow_operator.api.status import (
    CallStatus,
    Condition,
    Direction,
    Effect,
    ExecutionStatus,
    Finding,
    Phase,
    StepStatus,
)
from flow_operator.engine.contract import Attempt, Plan
from flow_operator.engine.payload import load
from flow_operator.engine.state import call_of, calls, step_of


def moment(since: timedelta) -> str:
    """A moment as time since the story began."""
    return written(since.total_seconds())


def changes(before: ExecutionStatus, plan: Plan, beginning: datetime) -> Iterator[str]:
    """The lines that became different, then what is to be done."""
    after = plan.status
    if _run(before) != _run(after):
        yield _run(after)
    old = {(id, direction): _call(id, direction, call, beginning) for id, direction, call in calls(before)}
    for id, direction, call in calls(after):
        line = _call(id, direction, call, beginning)
        untouched = call.phase is Phase.PENDING
        if line != old.get((id, direction)) and not untouched:
            yield line
    for each in plan.attempts:
        body = f" {each.request.body.decode()}" if each.request.body is not None else ""
        yield f"→ {each.direction} {each.step} #{each.number} {each.request.method} {each.request.url}{body}"
    yield from (f"cut {attempt}" for attempt in sorted(_names(before, plan.cut)))
    yield from (f"event {event.type} {event.reason}: {event.message}" for event in plan.events)


def _names(status: ExecutionStatus, attempts: Iterable[str]) -> Iterator[str]:
    for id, direction, call in calls(status):
        if call.attempt_id in set(attempts):
            yield f"{direction} {id} #{call.attempts}"


def _run(status: ExecutionStatus) -> str:
    line = f"run {status.phase}"
    if status.reason and status.reason != status.phase:
        line += f" {status.reason}"
    if status.message:
        line += f": {status.message}"
    if status.compensation and status.compensation.phase:
        line += f" · compensation {status.compensation.phase}"
    return line + (" · ended" if status.completion_time else "")


def _call(id: str, direction: Direction, call: CallStatus, beginning: datetime) -> str:
    line = f"{'undo ' if direction is Direction.UNDO else ''}{id} {call.phase}"
    if call.effect is not Effect.NONE:
        line += f"/{call.effect}"
    if call.phase is Phase.RUNNING:
        line += f" #{call.attempts}"
    if call.next_attempt_time:
        line += f" again at {moment(call.next_attempt_time - beginning)}"
    if call.reason:
        line += f" {call.reason}"
    return line + (f": {call.message}" if call.message else "")


def show(status: ExecutionStatus, what: str, beginning: datetime) -> Iterator[str]:
    """More about one thing, when a scenario asks for it."""
    word, *rest = what.split(" ")
    direction = Direction.UNDO if rest[:1] == ["undo"] else Direction.DO
    match word:
        case "run":
            yield _run(status)
            yield f"progress {status.progress}, duration {status.duration}, suspended {status.suspended_seconds:g}s"
        case "conditions":
            yield from conditions(status.conditions)
        case "plan":
            for undo in (status.compensation and status.compensation.plan) or ():
                yield f"undo {undo.step}" + (f" after {', '.join(undo.after)}" if undo.after else "")
        case "output":
            yield json.dumps(status.output.document()) if status.output else "none"
        case "log":
            yield from _log(call_of(status, rest[-1], direction), beginning)
        case "request":
            yield _request(call_of(status, rest[-1], direction))
        case "command":
            assert status.last_command is not None
            yield f"{status.last_command.verb} {status.last_command.result}: {status.last_command.message}"
        case id:
            yield from _step(step_of(status, id), beginning)


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


def _step(step: StepStatus, beginning: datetime) -> Iterator[str]:
    yield _call(step.id, Direction.DO, step, beginning)
    yield f"key {step.idempotency_key}"
    if step.suspended_seconds:
        yield f"suspended {step.suspended_seconds:g}s"
    if step.response:
        yield f"response {step.response.code} {load(step.response.document())!r}"
    if step.output:
        yield f"output {json.dumps(step.output.document())}"


def _request(call: CallStatus | None) -> str:
    return json.dumps(call.request.document(), sort_keys=True) if call and call.request else "none"


def _log(call: CallStatus | None, beginning: datetime) -> Iterator[str]:
    for entry in call.attempt_log if call else ():
        line = f"#{entry.attempt} at {moment(entry.time - beginning)} took {entry.duration}"
        line += f" {entry.verdict}/{entry.effect}"
        yield line + (f" {entry.code}" if entry.code else "") + (f" {entry.reason}" if entry.reason else "")


def findings(found: list[Finding]) -> Iterator[str]:
    """Every finding, or that there is none."""
    yield from (f"{each.path}: {each.reason}: {each.message}" for each in found)
    if not found:
        yield "none"
