"""Beginning attempts: the intention goes into the status, the attempt to the shell.

The rules are those of semantics, "Remember before you act".
"""

from flow_operator.api.reasons import Reason
from flow_operator.api.status import CallStatus, Direction, ExecutionStatus, Phase
from flow_operator.engine.calls import begin, finish, lose, park
from flow_operator.engine.contract import Attempt
from flow_operator.engine.identity import attempt_id, idempotency_key
from flow_operator.engine.moment import Moment
from flow_operator.engine.requests import Unrenderable, attempt_of, rendered
from flow_operator.engine.state import call_of, in_flight, with_call

Begun = tuple[ExecutionStatus, tuple[Attempt, ...]]


def send(moment: Moment, status: ExecutionStatus, id: str, direction: Direction) -> Begun:
    """The next attempt of this call, or a lost one again.

    A request that cannot be built fails a step and parks an undo. One that differs from what was sent before is not
    sent: a retry under the same key must be the same request.
    """
    call = call_of(status, id, direction) or CallStatus(phase=Phase.PENDING)
    if in_flight(call):
        call = lose(call, moment.now)
    before = call.request
    try:
        sent = rendered(moment.snapshot(status), id, direction, moment.service_url, before.url if before else None)
    except Unrenderable as error:
        return with_call(status, id, direction, _unsent(moment, call, direction, error)), ()
    if before is not None and before.digest != sent.record.digest:
        changed = park(
            call, Reason.REQUEST_CHANGED, "the request would differ from the one sent before, so it is not sent"
        )
        return with_call(status, id, direction, changed), ()
    key = call.idempotency_key or idempotency_key(moment.run.uid, id, direction, call.generation)
    call = begin(call, attempt_id(moment.nonce, key), key, sent.record, moment.now)
    status = with_call(status, id, direction, call)
    return status, (attempt_of(moment.snapshot(status), id, direction, call, sent),)


def _unsent(moment: Moment, call: CallStatus, direction: Direction, error: Unrenderable) -> CallStatus:
    if direction is Direction.UNDO:
        return park(call, error.reason, str(error))
    started = call.model_copy(update={"start_time": call.start_time or moment.now})
    return finish(started, Phase.FAILURE, error.reason, str(error), moment.now)


def resend(moment: Moment, status: ExecutionStatus, direction: Direction) -> Begun:
    """Calls of this direction whose attempt was lost or whose back-off is over are attempted again."""
    attempts: tuple[Attempt, ...] = ()
    for step in status.steps:
        call = step if direction is Direction.DO else step.compensation
        if call is not None and _due(moment, call):
            status, begun = send(moment, status, step.id, direction)
            attempts += begun
    return status, attempts


def _due(moment: Moment, call: CallStatus) -> bool:
    if call.phase is not Phase.RUNNING:
        return False
    if call.next_attempt_time is not None:
        return call.next_attempt_time <= moment.now
    return call.attempt_id not in moment.in_flight
