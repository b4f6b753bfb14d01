"""What a run waits for, told in `status.waiting`: the first thing, a person before all others."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from flow_operator.api.reasons import Reason
from flow_operator.api.status import ExecutionStatus, Phase, Waiting
from flow_operator.engine.conditions import DEFINITION_REASONS, frozen
from flow_operator.engine.contract import Blocked, CallId
from flow_operator.engine.state import calls, in_flight, updated
from flow_operator.engine.suspension import suspended_by

UNREMARKABLE = timedelta(seconds=10)
"""How long a run may wait for a slot before its status says so: short waits are not worth a write."""


def with_waiting(status: ExecutionStatus, blocked: Mapping[CallId, Blocked], now: datetime) -> ExecutionStatus:
    """The status with what the run waits for; `blocked` are the calls that are due and may not be sent."""
    found = next(_reasons(status, blocked, now), None)
    before = status.waiting
    if found and before and (before.step, before.reason, before.until) == (found.step, found.reason, found.until):
        return status
    return updated(status, waiting=found)


def noticed_at(blocked: Mapping[CallId, Blocked], now: datetime) -> Iterator[datetime]:
    """When waits for slots become worth telling."""
    moments = (each.since + UNREMARKABLE for each in blocked.values())
    return (moment for moment in moments if moment > now)


def _reasons(status: ExecutionStatus, blocked: Mapping[CallId, Blocked], now: datetime) -> Iterator[Waiting]:
    """Everything that holds the run up, the most important first."""
    if status.completion_time is not None:
        return
    if frozen(status):
        yield Waiting(reason=suspended_by(status) or Reason.SUSPENDED_BY_COMMAND, since=now)
    for id, _, call in calls(status):
        if call.phase is Phase.SUSPEND:
            yield Waiting(step=id, reason=call.reason or Reason.COMPENSATION_PARKED, since=now)
    if status.reason in DEFINITION_REASONS:
        yield Waiting(reason=status.reason, since=now)
    running = [(id, direction, call) for id, direction, call in calls(status) if call.phase is Phase.RUNNING]
    if any(in_flight(call) and (id, direction) not in blocked for id, direction, call in running):
        return
    pauses = [
        (call.next_attempt_time, id)
        for id, direction, call in running
        if call.next_attempt_time is not None and (id, direction) not in blocked
    ]
    if pauses:
        until, id = min(pauses)
        yield Waiting(step=id, reason=Reason.BACKING_OFF, since=now, until=until)
    yield from _for_slots(blocked, now)


def _for_slots(blocked: Mapping[CallId, Blocked], now: datetime) -> Iterator[Waiting]:
    waits = [(each.since, id, each) for (id, _), each in blocked.items() if each.since + UNREMARKABLE <= now]
    if waits:
        since, id, each = min(waits, key=lambda wait: wait[:2])
        reason = Reason.SLOT_UNAVAILABLE if each.circuit is None else Reason.CIRCUIT_OPEN
        yield Waiting(step=id, reason=reason, since=since)
