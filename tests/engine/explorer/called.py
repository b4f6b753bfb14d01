"""Sentences about calls: what is remembered of them, and what their answers mean."""

import json
from hashlib import sha256

from tests.engine.explorer.change import Change
from tests.engine.explorer.reading import call_at, calls_of, going_forward, in_flight, is_frozen

from flow_operator.api.status import CallStatus, Direction, Effect, Phase

RANK = {Effect.NONE: 0, Effect.UNKNOWN: 1, Effect.APPLIED: 2}
WAITS = (Phase.SUSPEND, Phase.FAILURE)
"""Phases of a call that a person is needed for; an undo that has failed is parked by the next look."""
TABLE = {
    "answer 200": ("Success", Effect.APPLIED),
    "answer 400": ("Failure", Effect.NONE),
    "huge 200": ("Failure", Effect.APPLIED),
    "noanswer": ("Retry", Effect.UNKNOWN),
    "unsent": ("Retry", Effect.NONE),
}
"""Two facts per attempt."""


def expected(change: Change, before: CallStatus) -> tuple[str, Effect]:
    """What the table says of the answer that has come."""
    word, *rest = change.move.text.replace("undo ", "").split(" ")
    if rest[-1] == "409":
        return ("Retry", Effect.UNKNOWN) if before.uncertain else ("Failure", Effect.NONE)
    return TABLE[" ".join([word, *rest[1:]])]


def answered(change: Change) -> tuple[CallStatus, CallStatus] | None:
    """The call that was answered, before and after."""
    if change.move.kind != "answer":
        return None
    before, after = (
        call_at(state.status, change.move.step, change.move.direction) for state in (change.before, change.after)
    )
    assert before is not None
    assert after is not None
    return before, after


def a_call_is_announced_before_it_is_sent(change: Change) -> bool:
    """Before a call is sent, the status says: this step is Running, attempt n, this idempotency key, this request."""
    for attempt in change.attempts:
        call = call_at(change.after.status, attempt.step, attempt.direction)
        header = attempt.request.header
        if call is None or call.request is None or not in_flight(call):
            return False
        said = call.attempt_id, call.attempts, call.idempotency_key, str(call.attempts), call.request.url
        sent = attempt.id, attempt.number, header["idempotency-key"], header["x-flow-attempt"], attempt.request.url
        if said != sent or call.attempt_time != change.after.now:
            return False
    return True


def every_intention_is_sent(change: Change) -> bool:
    """There is no other resume path: what a plan newly calls Running is sent with it, and nothing else."""
    if change.plan is None:
        return True
    known = {call.attempt_id for _, _, call in calls_of(change.before.status)}
    begun = [call.attempt_id for _, _, call in calls_of(change.after.status) if call.attempt_id not in known]
    return sorted(filter(None, begun)) == sorted(attempt.id for attempt in change.plan.attempts)


def every_attempt_of_a_call_carries_the_same_key(change: Change) -> bool:
    """`Idempotency-Key: <run uid>/<step id>/<do|undo>/<generation>`, bare, the same across retries and restarts."""
    return all(
        after.idempotency_key in (None, f"uid/{id}/{direction.value}/{after.generation}")
        and (after.idempotency_key is not None or not in_flight(after))
        for id, direction, _, after in change.calls
    )


def a_retry_sends_the_same_bytes(change: Change) -> bool:
    """A retry sends the same bytes, and the stored digest proves it equal."""
    for attempt in change.attempts:
        sent = attempt.request
        before = call_at(change.before.status, attempt.step, attempt.direction)
        after = call_at(change.after.status, attempt.step, attempt.direction)
        head = json.dumps([sent.method, sent.url, []], separators=(",", ":")).encode()
        digest = "sha256:" + sha256(head + b"\n" + (sent.body or b"")).hexdigest()
        if after is None or after.request is None or after.request.digest != digest:
            return False
        same_key = before is not None and before.generation == after.generation
        if same_key and before and before.request is not None and before.request.digest != digest:
            return False
    return True


def the_generation_grows_only_by_a_new_key(change: Change) -> bool:
    """The generation starts at 0 and grows only by `retry {newKey: true}`."""
    by_command = change.move.args.get("newKey") is True
    return all(
        after.generation == (before.generation if before else 0)
        or (by_command and before is not None and before.phase in WAITS and after.generation == before.generation + 1)
        for _, _, before, after in change.calls
    )


def the_number_grows_unless_the_attempt_was_lost(change: Change) -> bool:
    """`X-Flow-Attempt` (from 1, per direction, growing; unchanged for a lost attempt)."""
    for attempt in change.attempts:
        before = call_at(change.before.status, attempt.step, attempt.direction)
        after = call_at(change.after.status, attempt.step, attempt.direction)
        same_key = before is not None and after is not None and before.generation == after.generation
        number = before.attempts + (not in_flight(before)) if before and same_key else 1
        if attempt.number != number:
            return False
    return True


def the_limit_counts_retries(change: Change) -> bool:
    """`limit` counts retries after the first attempt; a lost attempt uses no budget."""
    policy = change.facts.policy
    limits = {Direction.DO: policy.retries, Direction.UNDO: policy.undo_retries}
    return all(after.attempts - after.budget_from <= limits[direction] + 1 for _, direction, _, after in change.calls)


def a_lost_attempt_may_have_happened(change: Change) -> bool:
    """The operator died between "about to call" and "result stored", or the call was cut: Unknown."""
    if change.plan is None:
        return True
    return all(
        before is None
        or before.attempt_id is None
        or before.attempt_id == after.attempt_id
        or (after.effect is not Effect.NONE and after.attempt_log[-1].effect is Effect.UNKNOWN)
        for _, _, before, after in change.calls
    )


def nothing_that_is_lost_stays_in_flight(change: Change) -> bool:
    """A step in flight that this process is not waiting for is repeated, on resume if the run is suspended, or
    closed."""
    if change.plan is None or is_frozen(change.after.status):
        return True
    return all(
        not in_flight(call) or call.attempt_id in change.after.flying for _, _, call in calls_of(change.after.status)
    )


def what_was_cut_is_not_waited_for(change: Change) -> bool:
    """Calls in flight are cut: an attempt that the status has closed is not waited for."""
    known = {call.attempt_id for _, _, call in calls_of(change.after.status)}
    return change.after.flying <= known


def an_answer_is_judged_by_the_table(change: Change) -> bool:
    """Verdict says what to do next: Success, Failure, Retry; retries are limited, and none follows the forward part."""
    calls = answered(change)
    if calls is None:
        return True
    before, after = calls
    verdict, _ = expected(change, before)
    undo = change.move.direction is Direction.UNDO
    limit = change.facts.policy.undo_retries if undo else change.facts.policy.retries
    over = not undo and not going_forward(change.before.status)
    if verdict == "Retry" and not over and before.attempts - before.budget_from <= limit:
        return after.phase is Phase.RUNNING and after.next_attempt_time is not None
    if verdict == "Success":
        return after.phase is Phase.SUCCESS
    return after.phase is (Phase.ABORTED if over else Phase.FAILURE)


def the_effect_is_what_was_observed(change: Change) -> bool:
    """A step's effect is Applied if any attempt was, else Unknown if any was, else None."""
    calls = answered(change)
    if calls is None:
        return True
    before, after = calls
    _, seen = expected(change, before)
    return RANK[after.effect] == max(RANK[before.effect], RANK[seen]) and after.attempt_log[-1].effect is seen


def an_effect_never_weakens(change: Change) -> bool:
    """Effect says what may have happened at the service: that stays, whatever a person says of the key."""
    return all(before is None or RANK[after.effect] >= RANK[before.effect] for _, _, before, after in change.calls)


def a_conflict_is_certain_until_an_attempt_is_unknown(change: Change) -> bool:
    """409, and an earlier attempt under this key was Unknown (the original may still be in flight): Retry, Unknown."""
    for _, _, before, after in change.calls:
        fresh_key = before is not None and after.generation != before.generation
        was = before is not None and before.uncertain and not fresh_key
        new = after.attempt_log[-1:] if before is None or after.attempt_log != before.attempt_log else ()
        if after.uncertain is not (was or any(entry.effect is Effect.UNKNOWN for entry in new)):
            return False
    return True


def no_request_changes_by_itself(change: Change) -> bool:
    """The request is a pure function of what is stored: without a new operator none differs from the one sent."""
    return all(after.reason != "RequestChanged" for _, _, _, after in change.calls)
