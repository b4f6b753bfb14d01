"""Sentences about verbs and suspension."""

from tests.engine.explorer.change import Change
from tests.engine.explorer.possible import possible
from tests.engine.explorer.reading import calls_of, going_forward, in_flight, is_frozen

from flow_operator.api.status import Phase


def nothing_begins_while_frozen(change: Change) -> bool:
    """Frozen at once: no new attempt of anything."""
    return not (change.attempts and is_frozen(change.after.status))


def nothing_follows_while_frozen(change: Change) -> bool:
    """Calls in flight are stored, but neither Success, Failure, fallback nor undo follows before resume.
    `nextAttemptTime` stays."""
    before, after = change.before.status, change.after.status
    if change.plan is None or change.move.kind == "command" or not (is_frozen(before) and is_frozen(after)):
        return True
    for _, _, old, new in change.calls:
        if old is None:
            continue
        parks = old.phase is Phase.FAILURE and new.phase is Phase.SUSPEND
        closes = in_flight(old) and not going_forward(after)
        if (old.phase, old.next_attempt_time) != (new.phase, new.next_attempt_time) and not (parks or closes):
            return False
    decided = [
        next(each.status for each in status.conditions if each.type == "Succeeded") for status in (before, after)
    ]
    return decided[0] == decided[1]


def a_command_is_accepted_where_the_table_says_so(change: Change) -> bool:
    """A verb that is not possible now is Rejected with the reason, never ignored."""
    if change.move.kind != "command":
        return True
    said = change.after.status.last_command
    assert said is not None
    return (said.result == "Accepted") is possible(change.facts, change.before, change.move)


def a_rejected_command_changes_nothing(change: Change) -> bool:
    """Rejected with the reason: all else stays as it is."""
    said = change.after.status.last_command
    if change.move.kind != "command" or change.before.news or said is None or said.result == "Accepted":
        return True
    before, after = change.before.status, change.after.status
    ended = before.completion_time is not None
    return (
        not change.attempts
        and change.after.flying == change.before.flying
        and ((ended and before.steps == after.steps) or before.model_copy(update={"last_command": said}) == after)
    )


def an_abort_is_at_once(change: Change) -> bool:
    """abort: phase Aborted at once, no further forward attempt, no fallback; then undo."""
    if not accepted(change, "abort") or not going_forward(change.before.status):
        return True
    after = change.after.status
    assert after.compensation is not None
    decided = any(each.type == "Succeeded" and each.reason == "Aborted" for each in after.conditions)
    waits = change.before.held or any(call.phase is Phase.SUSPEND for _, _, call in calls_of(after))
    phases = (Phase.ABORTED, Phase.SUSPEND) if waits else (Phase.ABORTED,)
    return decided and after.compensation.trigger == "Aborted" and after.phase in phases


def giving_up_ends_the_undo(change: Change) -> bool:
    """`compensate: false` leaves compensation NotNeeded; during an undo it gives up (Failure)."""
    if not accepted(change, "abort") or change.move.args.get("compensate") is not False:
        return True
    compensation = change.after.status.compensation
    assert compensation is not None
    busy = any(in_flight(step) for step in change.after.status.steps)
    ended = change.after.status.completion_time is not None
    return compensation.phase in ("NotNeeded", "Failure") and (ended or busy)


def a_person_can_undo_by_hand(change: Change) -> bool:
    """skip: a person did it by hand, a parked undo counts as done."""
    if not accepted(change, "skip"):
        return True
    skipped = [(old, new) for id, _, old, new in change.calls if id == change.move.args["step"] and old]
    return any(new.phase is Phase.SUCCESS and new.reason == "SkippedByCommand" for _, new in skipped)


def a_retry_is_due_at_once(change: Change) -> bool:
    """retry: the parked undos are tried again, with a fresh budget, under the same key."""
    if not accepted(change, "retry"):
        return True
    before = {(id, direction): call for id, direction, call in calls_of(change.before.status)}
    chosen = change.move.args.get("steps")
    for id, direction, call in calls_of(change.after.status):
        old = before.get((id, direction))
        asked = chosen is None or id in chosen
        if old is None or old.phase is not Phase.SUSPEND or not asked or id in change.facts.broken_undo:
            continue
        frozen = is_frozen(change.after.status)
        due = call.next_attempt_time is not None and call.next_attempt_time <= change.after.now
        fresh = call.attempts - call.budget_from == (0 if frozen else 1)
        if call.phase is not Phase.RUNNING or not fresh or not (due if frozen else in_flight(call)):
            return False
    return True


def accepted(change: Change, verb: str) -> bool:
    """Whether this command was given, and accepted."""
    said = change.after.status.last_command
    return change.move.kind == "command" and change.move.step == verb and said is not None and said.result == "Accepted"
