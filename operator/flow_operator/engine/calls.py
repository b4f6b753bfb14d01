"""The life of one call, doing or undoing. Every change of its phase is here, a function from value to value.

    begin       Pending, Running (lost or backing off) → Running    an attempt is announced
    retry       Running → Running, backing off
    close       Running → Success, Failure, Aborted                 it was answered
    overturn    Success → Failure, Aborted                          the answer does not fit into the status
    cut         whatever has not ended → Failure, Aborted           it ends without an answer
    finish      whatever has not ended → any end                    skipped, done by hand, cannot be sent, called off
    park        Pending, Running, Failure of an undo → Suspend      it waits for a person
    again       Suspend → Running, due at once

A call begins as Pending: that of a step with its run, an undo when it is foreseen or sent.

*In flight* is: Running, and not backing off. The attempt id is there exactly while a call is in flight. An undo that
ended in Failure is parked by the next plan; `record` only says what became of the attempt.
"""

from datetime import datetime, timedelta

from flow_operator.api.duration import written
from flow_operator.api.reasons import Reason
from flow_operator.api.status import AttemptRecord, Effect, Phase, RequestRecord, ResponseRecord, Verdict
from flow_operator.engine.size import brief
from flow_operator.engine.state import Call, in_flight, replaced, stronger, without_content
from flow_operator.engine.verdicts import Judgement

LOG_LENGTH = 5
LOGGED_CHARACTERS = 200
"""Of a message in the log; the last error is kept in full beside it."""


def begin(call: Call, attempt: str, key: str, request: RequestRecord, now: datetime) -> Call:
    """A new attempt; the same number again when the attempt before it was lost."""
    lost = in_flight(call)
    return replaced(
        call,
        phase=Phase.RUNNING,
        attempts=call.attempts if lost else call.attempts + 1,
        attempt_id=attempt,
        attempt_time=now,
        idempotency_key=key,
        start_time=call.start_time or now,
        next_attempt_time=None,
        request=request,
        response=None,
    )


def lose(call: Call, now: datetime) -> Call:
    """The attempt in flight is nobody's: whether it reached the service is not known."""
    lost = Judgement(
        Verdict.RETRY, Effect.UNKNOWN, Reason.ATTEMPT_LOST, "the operator stopped before an answer was stored"
    )
    return _logged(call, lost, None, now)


def retry(call: Call, judgement: Judgement, response: ResponseRecord | None, pause: timedelta, now: datetime) -> Call:
    """The attempt in flight has ended; the next is due after a pause."""
    return replaced(
        _logged(call, judgement, response, now),
        attempt_id=None,
        next_attempt_time=now + pause,
        response=response,
        reason=judgement.reason,
        message=judgement.message and brief(judgement.message),
    )


def close(
    call: Call, phase: Phase, judgement: Judgement, response: ResponseRecord | None, why: Judgement, now: datetime
) -> Call:
    """The attempt in flight has ended as judged, and with it the call; `why` is what is said of the call."""
    logged = replaced(_logged(call, judgement, response, now), response=response)
    return finish(logged, phase, why.reason, why.message, now)


def cut(call: Call, phase: Phase, reason: Reason, message: str, now: datetime) -> Call:
    """The call ends without an answer. What was in flight may have reached the service."""
    if in_flight(call):
        lost = Judgement(Verdict.FAILURE, Effect.UNKNOWN, Reason.ATTEMPT_CUT, message)
        call = _logged(call, lost, None, now)
    return finish(call, phase, reason, message, now)


def finish(call: Call, phase: Phase, reason: Reason | str | None, message: str | None, now: datetime) -> Call:
    """The call has ended. Header and body of its request go: they can be computed again."""
    return replaced(
        call,
        phase=phase,
        reason=reason,
        message=message and brief(message),
        request=call.request and without_content(call.request),
        attempt_id=None,
        next_attempt_time=None,
        completion_time=now,
    )


def overturn(call: Call, phase: Phase, reason: Reason, message: str) -> Call:
    """It had ended in Success, but what it answered cannot be kept: what was done is to be undone."""
    return replaced(call, phase=phase, reason=reason, message=message)


def park(call: Call, reason: Reason | str | None, message: str | None) -> Call:
    """The call waits for a person."""
    return replaced(
        call,
        phase=Phase.SUSPEND,
        reason=reason,
        message=message and brief(message),
        attempt_id=None,
        next_attempt_time=None,
        completion_time=None,
    )


def again(call: Call, now: datetime, *, new_key: bool) -> Call:
    """A person asks for more attempts: a fresh budget, due at once.

    With a new key the attempts and the clock start anew. What attempts under the old one may have done stays: the
    effect is that of all attempts.
    """
    if new_key:
        call = replaced(
            call,
            attempts=0,
            generation=call.generation + 1,
            uncertain=False,
            idempotency_key=None,
            start_time=None,
            request=None,
            response=None,
        )
    return replaced(
        call,
        phase=Phase.RUNNING,
        budget_from=call.attempts,
        reason=None,
        message=None,
        completion_time=None,
        next_attempt_time=now,
    )


def without_body(response: ResponseRecord) -> ResponseRecord:
    """An answer of which only code and headers are kept."""
    return ResponseRecord(code=response.code, header=response.header)


def _logged(call: Call, judgement: Judgement, response: ResponseRecord | None, now: datetime) -> Call:
    began = call.attempt_time or now
    entry = AttemptRecord(
        attempt=call.attempts,
        time=began,
        duration=written(max(0.0, (now - began).total_seconds())),
        verdict=judgement.verdict,
        effect=judgement.effect,
        code=response.code if response else None,
        reason=judgement.reason,
        message=judgement.message and brief(judgement.message, LOGGED_CHARACTERS),
    )
    return replaced(
        call,
        effect=stronger(call.effect, judgement.effect),
        uncertain=call.uncertain or judgement.effect is Effect.UNKNOWN,
        attempt_log=(*call.attempt_log, entry)[-LOG_LENGTH:],
    )
