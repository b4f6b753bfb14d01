"""How a scenario tells what the engine did: short lines that read like a log."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from flow_operator.api.duration import written
from flow_operator.api.status import (
    CallStatus,
    Direction,
    Effect,
    ExecutionStatus,
    Phase,
)
from flow_operator.engine.contract import Plan
from flow_operator.engine.state import calls


def moment(since: timedelta) -> str:
    """A moment as time since the story began."""
    return written(since.total_seconds())


def changes(before: ExecutionStatus, plan: Plan, beginning: datetime) -> Iterator[str]:
    """The lines that became different, then what is to be done."""
    after = plan.status
    if run_line(before) != run_line(after):
        yield run_line(after)
    old = {(id, direction): call_line(id, direction, call, beginning) for id, direction, call in calls(before)}
    for id, direction, call in calls(after):
        line = call_line(id, direction, call, beginning)
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


def run_line(status: ExecutionStatus) -> str:
    """The run in one line."""
    line = f"run {status.phase}"
    if status.reason and status.reason != status.phase:
        line += f" {status.reason}"
    if status.message:
        line += f": {status.message}"
    if status.compensation and status.compensation.phase:
        line += f" · compensation {status.compensation.phase}"
    return line + (" · ended" if status.completion_time else "")


def call_line(id: str, direction: Direction, call: CallStatus, beginning: datetime) -> str:
    """One call in one line."""
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
