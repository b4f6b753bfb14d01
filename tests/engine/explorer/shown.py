"""Sentences about what a status shows: phases, conditions, events, and when somebody is woken."""

from datetime import timedelta

from tests.engine.explorer.change import Change
from tests.engine.explorer.reading import (
    FROZEN,
    calls_of,
    condition,
    going_forward,
    in_flight,
    is_frozen,
    is_undone,
    steps_of,
    suspended,
    to_be_undone,
    waiting,
)
from tests.engine.world import reread

from flow_operator.api.duration import seconds
from flow_operator.api.status import Phase

ENDED = (Phase.SUCCESS, Phase.FAILURE, Phase.ABORTED)


def the_end_is_final(change: Change) -> bool:
    """An ended run stays as it is: only a rejected command is answered, and a new generation seen."""
    before, after = change.before.status, change.after.status
    if before.completion_time is None:
        return True
    seen = {"last_command", "observed_generation", "conditions"}
    return (
        all(getattr(before, name) == getattr(after, name) for name in type(before).model_fields if name not in seen)
        and not change.attempts
        and [(each.type, each.status, each.reason) for each in before.conditions]
        == [(each.type, each.status, each.reason) for each in after.conditions]
    )


def an_end_leaves_nothing_open(change: Change) -> bool:
    """A run has ended when `completionTime` is set: phase Success, Failure or Aborted and compensation NotNeeded,
    Success or Failure. Nothing is in flight then, and nobody is waited for."""
    status = change.after.status
    if status.completion_time is None:
        return True
    assert status.compensation is not None
    open_calls = [call for _, _, call in calls_of(status) if call.phase in (Phase.RUNNING, Phase.SUSPEND)]
    pending = [step for step in status.steps if step.compensation and step.compensation.phase is Phase.PENDING]
    return (
        not open_calls
        and not pending
        and not change.after.flying
        and change.after.wake_at is None
        and status.phase in ENDED
        and status.compensation.phase in ("NotNeeded", "Success", "Failure")
    )


def the_phase_says_what_is_going_on(change: Change) -> bool:
    """`status.phase`: Suspend while a person is waited for or holds the run; else how the forward part ended, or
    Running."""
    status = change.after.status
    if change.plan is None:
        return True
    if status.start_time is None and status.completion_time is None:
        return status.phase is (Phase.SUSPEND if is_frozen(status) else Phase.PENDING)
    if status.completion_time is not None:
        return status.phase in ENDED
    if is_frozen(status) or waiting(status):
        return status.phase is Phase.SUSPEND
    if going_forward(status):
        return status.phase is Phase.RUNNING
    assert status.compensation is not None
    return status.phase.value == status.compensation.trigger


def the_compensation_says_what_is_going_on(change: Change) -> bool:
    """`status.compensation.phase` is absent while the forward part runs, then NotNeeded, Pending (while calls are in
    flight), Running, Suspend, Success or Failure."""
    status = change.after.status
    compensation = status.compensation
    if change.plan is None or compensation is None or compensation.phase in (None, "NotNeeded", "Success", "Failure"):
        return True
    parked = any(step.compensation and step.compensation.phase is Phase.SUSPEND for step in status.steps)
    if is_frozen(status) or parked:
        return compensation.phase == "Suspend"
    return compensation.phase == ("Pending" if any(in_flight(step) for step in status.steps) else "Running")


def succeeded_is_unknown_until_the_phase_decides(change: Change) -> bool:
    """Succeeded is Unknown until the phase decides."""
    status = change.after.status
    if change.plan is None:
        return True
    if status.completion_time is None and (status.start_time is None or going_forward(status)):
        return condition(status, "Succeeded") == "Unknown"
    good = status.phase is Phase.SUCCESS
    return condition(status, "Succeeded") == ("True" if good else "False")


def kstatus_says_who_must_act(change: Change) -> bool:
    """Reconciling and Stalled with kstatus meaning: Stalled is True when a person is needed, and when the run ended in
    Failure or Aborted."""
    status = change.after.status
    if change.plan is None:
        return True
    over = status.completion_time is not None
    stalled = (over and status.phase is not Phase.SUCCESS) or (not over and bool(waiting(status)))
    going = not over and not waiting(status)
    truth = {True: "True", False: "False"}
    return condition(status, "Stalled") == truth[stalled] and condition(status, "Reconciling") == truth[going]


def suspended_says_why(change: Change) -> bool:
    """Suspended=True has the reason SuspendedByCommand or SuspendedBySpec (all frozen), or CompensationParked (a person
    is needed, other branches go on). `spec.suspend` lifts only itself."""
    before, status = change.before.status, change.after.status
    reason = suspended(status)
    if change.plan is None or status.completion_time is not None:
        return reason is None or change.plan is None
    if change.before.held and reason not in FROZEN:
        return False
    if reason not in FROZEN:
        return (reason == "CompensationParked") is bool(waiting(status)) and reason in (None, "CompensationParked")
    if reason == "SuspendedBySpec":
        return change.before.held
    return suspended(before) == reason or change.move.step == "suspend"


def compensated_appears_with_the_first_undo(change: Change) -> bool:
    """From the first undo on `Compensated` and `CompensationFailed`, the latter True while an undo is parked or given
    up."""
    status = change.after.status
    if change.plan is None:
        return True
    undos = [step.compensation for step in status.steps if step.compensation is not None]
    begun = any(undo.phase is not Phase.PENDING for undo in undos)
    failed = any(undo.phase in (Phase.SUSPEND, Phase.FAILURE) for undo in undos)
    if not begun:
        return condition(status, "Compensated") in (None, "False")
    if condition(status, "CompensationFailed") != ("True" if failed else "False"):
        return False
    members = [step for step in status.steps if to_be_undone(change.facts, step)]
    if status.compensation is not None and status.compensation.phase == "Success":
        return condition(status, "Compensated") == "True" and all(map(is_undone, members))
    return condition(status, "Compensated") == "False" or all(
        map(is_undone, (s for s in status.steps if s.compensation))
    )


def planning_again_changes_nothing(change: Change) -> bool:
    """Planning is idempotent: what was looked at, and to which nothing has happened, stays as it is."""
    if change.plan is None or change.before.news or change.move.kind != "look":
        return True
    plan = change.plan
    nothing = not (plan.attempts or plan.cut or plan.events or plan.urgent)
    return nothing and plan.status == change.before.status and plan.wake_at == change.before.wake_at


def a_status_survives_being_stored(change: Change) -> bool:
    """Replays are exact: what is read back after a restart is what was written."""
    if change.before.news or change.move.kind != "look":
        return True
    return reread(change.before.status) == change.before.status


def somebody_or_something_wakes_a_run(change: Change) -> bool:
    """A restart neither resets nor skips a back-off: a run that has not ended waits for an answer, for a moment, or for
    a person, and it is looked at when the first of the moments has come."""
    state, status = change.after, change.after.status
    if change.plan is None or status.completion_time is not None or is_frozen(status):
        return True
    moments = [call.next_attempt_time for _, _, call in calls_of(status) if call.phase is Phase.RUNNING]
    policy = change.facts.policy
    if going_forward(status):
        if policy.run and suspended(status) is None and status.start_time:
            moments.append(status.start_time + timedelta(seconds=seconds(policy.run) + status.suspended_seconds))
        running = [step for step in status.steps if policy.total and step.phase is Phase.RUNNING and step.start_time]
        for step in running:
            assert step.start_time
            assert policy.total
            moments.append(step.start_time + timedelta(seconds=seconds(policy.total) + step.suspended_seconds))
    first = min((moment for moment in moments if moment is not None), default=None)
    awaited = bool(state.flying) or first is not None or bool(waiting(status))
    return awaited and state.wake_at == first and (first is None or first > state.now)


def an_event_tells_what_a_person_must_see(change: Change) -> bool:
    """Events, none on the happy path: CommandAccepted, CommandRejected (Normal), RunFailed, CompensationParked,
    StepSuspended, OutputError (Warning)."""
    if change.plan is None:
        return True
    before, after = change.before.status, change.after.status
    told = sorted(event.reason for event in change.plan.events)
    due = []
    if change.move.kind == "command":
        assert after.last_command is not None
        due.append(f"Command{after.last_command.result}")
    was, now = condition(before, "Succeeded"), condition(after, "Succeeded")
    aborted = after.compensation is not None and after.compensation.trigger == "Aborted"
    if now == "False" and was != "False" and not aborted and after.phase is not Phase.ABORTED:
        due.append("RunFailed")
    old = steps_of(before)
    for step in after.steps:
        was_parked = step.id in old and (undo := old[step.id].compensation) is not None and undo.phase is Phase.SUSPEND
        if step.compensation is not None and step.compensation.phase is Phase.SUSPEND and not was_parked:
            due.append("CompensationParked")
    return told == sorted(due)
