"""Sentences about the backward part: what is undone, in which order, and how it ends."""

from tests.engine.explorer.change import Change
from tests.engine.explorer.reading import (
    call_at,
    going_forward,
    in_flight,
    is_frozen,
    is_undone,
    steps_of,
    to_be_undone,
)

from flow_operator.api.status import Direction, Phase

UNDOING = ("Pending", "Running", "Suspend")


def begun(change: Change) -> list[str]:
    """Steps whose undo is called for the first time."""
    sent = [attempt.step for attempt in change.attempts if attempt.direction is Direction.UNDO]
    calls = [(id, call_at(change.before.status, id, Direction.UNDO)) for id in sent]
    return [id for id, call in calls if call is None or call.phase is Phase.PENDING]


def undoing(change: Change) -> bool:
    """Whether the operator has looked at a run that is being undone and that nobody holds."""
    status = change.after.status
    return (
        change.plan is not None
        and status.compensation is not None
        and status.compensation.phase in UNDOING
        and not is_frozen(status)
    )


def an_undo_starts_when_nothing_forward_is_in_flight(change: Change) -> bool:
    """Nothing may be in flight when it starts. (While the run goes forward only the owner of a fallback is undone.)"""
    status, steps = change.after.status, steps_of(change.after.status)
    if going_forward(status):
        return all(id in change.facts.fallback and steps[id].phase is Phase.FAILURE for id in begun(change))
    return not begun(change) or not any(in_flight(step) for step in status.steps)


def an_undo_waits_for_all_that_required_the_step(change: Change) -> bool:
    """The undo of S may start when every member that (transitively) required S has been undone."""
    steps = steps_of(change.after.status)
    return all(
        is_undone(steps[later]) or not to_be_undone(change.facts, steps[later])
        for attempt in change.attempts
        if attempt.direction is Direction.UNDO
        for later in change.facts.later[attempt.step]
    )


def undone_is_what_may_have_happened(change: Change) -> bool:
    """Undone are the steps that have `compensate` and whose effect is Applied or Unknown."""
    steps = steps_of(change.after.status)
    return all(
        to_be_undone(change.facts, steps[attempt.step])
        for attempt in change.attempts
        if attempt.direction is Direction.UNDO
    )


def mode_none_undoes_only_for_a_fallback_or_by_command(change: Change) -> bool:
    """`mode: None` never undoes, unless `abort {compensate: true}` asks for it."""
    compensation = change.after.status.compensation
    if change.plan is None or compensation is None or compensation.phase is None or change.facts.policy.mode != "None":
        return True
    asked = change.move.args.get("compensate") is True
    return not going_forward(change.before.status) or compensation.phase not in (*UNDOING, "Success") or asked


def an_undo_that_succeeded_is_final(change: Change) -> bool:
    """An undo that succeeded is never called again, whatever happens."""
    return all(
        direction is Direction.DO or before is None or before.phase is not Phase.SUCCESS or after.phase is before.phase
        for _, direction, before, after in change.calls
    )


def whatever_may_be_undone_is_being_undone(change: Change) -> bool:
    """Independent ones run in parallel; while one is parked independent branches go on."""
    status = change.after.status
    if not undoing(change) or any(in_flight(step) for step in status.steps):
        return True
    steps = steps_of(status)
    left = {id for id, step in steps.items() if to_be_undone(change.facts, step) and not is_undone(step)}
    free = [id for id in left if not change.facts.later[id] & left]
    return all((undo := steps[id].compensation) is not None and undo.phase is not Phase.PENDING for id in free)


def a_failed_undo_parks(change: Change) -> bool:
    """Everything else parks at once, as do exhausted retries: the undo waits for a person."""
    return change.plan is None or all(
        step.compensation is None
        or step.compensation.phase is not Phase.FAILURE
        or step.compensation.reason == "CompensationGivenUp"
        for step in change.after.status.steps
    )


def the_plan_lists_every_undo_in_order(change: Change) -> bool:
    """`status.compensation.plan` is the list of undo calls in one valid order, filled when the run fails or is aborted,
    before anything is undone."""
    status = change.after.status
    compensation = status.compensation
    if not undoing(change) or compensation is None or compensation.start_time == change.before.now:
        return True
    steps, listed = steps_of(status), [each.step for each in compensation.plan or ()]
    keys = [each.idempotency_key for each in compensation.plan or ()]
    places = {id: place for place, id in enumerate(listed)}
    ordered = all(places.get(later, -1) < places[id] for id in listed for later in change.facts.later[id])
    ordered &= all(key.startswith(f"uid/{id}/undo/") for id, key in zip(listed, keys, strict=True))
    if compensation.start_time is not None:
        return ordered
    return ordered and set(listed) == {
        id for id, step in steps.items() if to_be_undone(change.facts, step) and not is_undone(step)
    }


def a_run_that_was_undone_has_nothing_left(change: Change) -> bool:
    """A run has ended when compensation is NotNeeded, Success or Failure: Success says that all was undone, NotNeeded
    that nothing was to be."""
    status, policy = change.after.status, change.facts.policy
    if status.completion_time is None or change.before.status.completion_time is not None or not status.steps:
        return True
    compensation = status.compensation
    assert compensation is not None
    members = [step for step in status.steps if to_be_undone(change.facts, step)]
    left = [step for step in members if not is_undone(step)]
    if compensation.phase == "Success":
        return not left and bool(members)
    if compensation.phase == "Failure":
        return bool(left)
    wanted = policy.mode == "Auto" and status.phase is not Phase.SUCCESS
    return not members or not wanted or status.phase is Phase.ABORTED or _called_off(change)


def _called_off(change: Change) -> bool:
    """A person said that a run that failed need not be undone."""
    before = change.before.status.compensation
    return change.move.args.get("compensate") is False or (before is not None and before.phase == "NotNeeded")


def an_undo_is_given_up_only_by_command(change: Change) -> bool:
    """`abort {compensate: false}` gives up; under `mode: None` an undo that was begun is not tried again."""
    return all(
        direction is Direction.DO
        or after.reason != "CompensationGivenUp"
        or (before is not None and before.reason == "CompensationGivenUp")
        or change.move.args.get("compensate") is False
        or (phase := change.after.status.compensation) is None
        or phase.phase in ("NotNeeded", "Failure")
        for _, direction, before, after in change.calls
    )
