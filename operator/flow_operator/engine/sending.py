"""Beginning attempts: the intention goes into the status, the attempt to the shell.

The rules are those of semantics, "Remember before you act". A call that is blocked (no slot is free at its host, or the
host's circuit is open) is postponed: it is left as it is, so it has no attempt, is not in flight and never Unknown.
"""

from datetime import timedelta

from flow_operator.api.reasons import Reason
from flow_operator.api.status import CallStatus, Direction, ExecutionStatus, Phase
from flow_operator.engine.calls import begin, finish, lose, park
from flow_operator.engine.contract import Attempt, Blocked, Outcome, Postponed
from flow_operator.engine.identity import attempt_id, chance, idempotency_key
from flow_operator.engine.messages.observation import NotSent
from flow_operator.engine.planning_context import PlanningContext
from flow_operator.engine.recording import record
from flow_operator.engine.requests import Unrenderable, attempt_of, rendered
from flow_operator.engine.retries import pause
from flow_operator.engine.snapshot import call_definition
from flow_operator.engine.state import call_of, in_flight, step_of, with_call

Begun = tuple[ExecutionStatus, tuple[Attempt | Postponed, ...]]


def send(context: PlanningContext, status: ExecutionStatus, id: str, direction: Direction) -> Begun:
    """The next attempt of this call, or a lost one again; or why it is postponed.

    A do that has waited for a circuit to close as long as its back-off counts as an attempt that was not sent, so that
    `retry.limit` and `fallback` work as ever; an undo waits as long as it takes.
    """
    blocked = context.blocked.get((id, direction))
    if blocked is None:
        return _begin(context, status, id, direction)
    if blocked.circuit is None or direction is Direction.UNDO:
        return status, (Postponed(id, direction),)
    due = step_of(status, id).next_attempt_time or blocked.since
    until = max(blocked.since, due) + _backoff(context, status, id)
    if context.now < until:
        return status, (Postponed(id, direction, until),)
    return _give_up_waiting(context, status, id, blocked)


def _give_up_waiting(context: PlanningContext, status: ExecutionStatus, id: str, blocked: Blocked) -> Begun:
    status, begun = _begin(context, status, id, Direction.DO)
    for attempt in begun:
        assert isinstance(attempt, Attempt)
        seen = NotSent("CircuitOpen", f"{blocked.circuit} could not be reached five times in a row; nothing was sent")
        outcome = Outcome(attempt.id, id, Direction.DO, seen, context.now, context.now)
        status = record(context.run, context.definition, status, outcome, context.now)
    return status, ()


def _backoff(context: PlanningContext, status: ExecutionStatus, id: str) -> timedelta:
    """The step's current back-off: the pause that came before this attempt, or would come after the first."""
    call = step_of(status, id)
    policy = call_definition(context.definition.by_id[id], Direction.DO).retry
    made = call.attempts - call.budget_from
    return pause(policy.backoff, max(1, made), chance(f"{context.run.uid}/{id}", call.attempts))


def _begin(context: PlanningContext, status: ExecutionStatus, id: str, direction: Direction) -> Begun:
    """Announce the next attempt.

    A request that cannot be built fails a step and parks an undo. One that differs from what was sent before is not
    sent: a retry under the same key must be the same request.
    """
    call = call_of(status, id, direction) or CallStatus(phase=Phase.PENDING)
    if in_flight(call):
        call = lose(call, context.now)
    before = call.request
    try:
        sent = rendered(context.snapshot(status), id, direction, context.service_url, before.url if before else None)
    except Unrenderable as error:
        return with_call(status, id, direction, _unsent(context, call, direction, error)), ()
    if before is not None and before.digest != sent.record.digest:
        changed = park(
            call, Reason.REQUEST_CHANGED, "the request would differ from the one sent before, so it is not sent"
        )
        return with_call(status, id, direction, changed), ()
    key = call.idempotency_key or idempotency_key(context.run.uid, id, direction, call.generation)
    call = begin(call, attempt_id(context.nonce, key), key, sent.record, context.now)
    status = with_call(status, id, direction, call)
    return status, (attempt_of(context.snapshot(status), id, direction, call, sent),)


def _unsent(context: PlanningContext, call: CallStatus, direction: Direction, error: Unrenderable) -> CallStatus:
    if direction is Direction.UNDO:
        return park(call, error.reason, str(error))
    started = call.model_copy(update={"start_time": call.start_time or context.now})
    return finish(started, Phase.FAILURE, error.reason, str(error), context.now)


def resend(context: PlanningContext, status: ExecutionStatus, direction: Direction) -> Begun:
    """Calls of this direction whose attempt was lost or whose back-off is over are attempted again."""
    attempts: tuple[Attempt | Postponed, ...] = ()
    for step in status.steps:
        call = step if direction is Direction.DO else step.compensation
        if call is not None and _due(context, call):
            status, begun = send(context, status, step.id, direction)
            attempts += begun
    return status, attempts


def _due(context: PlanningContext, call: CallStatus) -> bool:
    if call.phase is not Phase.RUNNING:
        return False
    if call.next_attempt_time is not None:
        return call.next_attempt_time <= context.now
    return call.attempt_id not in context.in_flight
