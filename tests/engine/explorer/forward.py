"""Sentences about the forward part: what starts, what is skipped, who takes over, and how it ends."""

from tests.engine.explorer.change import Change
from tests.engine.explorer.reading import (
    condition,
    failed_for_good,
    going_forward,
    in_flight,
    is_done,
    is_frozen,
    is_undone,
    steps_of,
    suspended,
    to_be_undone,
)
from tests.engine.explorer.states import run_left, step_left

from flow_operator.api.status import Direction, Phase, StepStatus

CLOSED = (Phase.SUCCESS, Phase.FAILURE, Phase.ABORTED, Phase.SKIPPED)
Steps = dict[str, StepStatus]


def begun(change: Change) -> list[str]:
    """Steps that are called for the first time."""
    before = steps_of(change.before.status)
    sent = [attempt.step for attempt in change.attempts if attempt.direction is Direction.DO]
    return [id for id in sent if id not in before or before[id].phase is Phase.PENDING]


def parents_done(change: Change, steps: Steps, id: str) -> bool:
    """Whether everything that a step requires is done, or skipped with its consent."""
    facts = change.facts
    return all(
        is_done(facts, steps, parent) or (steps[parent].phase is Phase.SKIPPED and parent in facts.accepts[id])
        for parent in facts.requires[id]
    )


def is_free(change: Change, steps: Steps, id: str) -> bool:
    """Whether a fallback may take its owner's place."""
    owner = steps[change.facts.owner[id]]
    return owner.phase is Phase.FAILURE and (not to_be_undone(change.facts, owner) or is_undone(owner))


def moving(change: Change) -> bool:
    """Whether the operator has looked at a run that goes forward and that nobody holds."""
    status = change.after.status
    return change.plan is not None and going_forward(status) and not is_frozen(status)


def a_step_starts_when_all_it_requires_is_done(change: Change) -> bool:
    """`requires`: a step runs as soon as what it requires is done."""
    steps = steps_of(change.after.status)
    return all(parents_done(change, steps, id) for id in begun(change))


def a_fallback_starts_when_its_owner_has_failed_and_is_undone(change: Change) -> bool:
    """`fallback: <step>` runs when its owner ends in Failure after its retries. If the owner's effect is Applied or
    Unknown and it has `compensate`, it is undone first."""
    steps = steps_of(change.after.status)
    owner = change.facts.owner
    return all(
        id not in owner or (is_free(change, steps, id) and steps[owner[id]].fallback == id) for id in begun(change)
    )


def whatever_may_start_is_started(change: Change) -> bool:
    """Steps run as soon as what they require is done; what need not run is skipped at once."""
    if not moving(change):
        return True
    steps = steps_of(change.after.status)
    for id, step in steps.items():
        if step.phase is not Phase.PENDING:
            continue
        if id in change.facts.owner:
            owner = steps[change.facts.owner[id]]
            ready = is_free(change, steps, id) or owner.phase in (Phase.SUCCESS, Phase.SKIPPED)
        else:
            refused = any(
                steps[parent].phase is Phase.SKIPPED and parent not in change.facts.accepts[id]
                for parent in change.facts.requires[id]
            )
            ready = refused or parents_done(change, steps, id)
        if ready:
            return False
    return True


def a_step_is_skipped_for_a_reason(change: Change) -> bool:
    """`when` false: the step is Skipped, and so are the steps that require it, unless they list it in `acceptSkipped`.
    Not needed: Skipped, FallbackNotNeeded."""
    steps, facts = steps_of(change.after.status), change.facts
    for id, direction, before, after in change.calls:
        if direction is Direction.UNDO or after.phase is not Phase.SKIPPED or (before and before.phase is after.phase):
            continue
        if after.reason == "FallbackNotNeeded":
            fair = id in facts.owner and steps[facts.owner[id]].phase in (Phase.SUCCESS, Phase.SKIPPED)
        elif after.reason == "DependencySkipped":
            skipped = [each for each in facts.requires[id] if steps[each].phase is Phase.SKIPPED]
            fair = any(each not in facts.accepts[id] for each in skipped)
        else:
            fair = id in facts.skipped and after.reason == "ConditionFalse" and parents_done(change, steps, id)
        if not fair:
            return False
    return not any(id in facts.skipped for id in begun(change))


def what_has_ended_stays_as_it_is(change: Change) -> bool:
    """The owner keeps phase Failure: a phase that says how a step ended does not change any more."""
    return all(
        direction is Direction.UNDO or before is None or before.phase not in CLOSED or before.phase is after.phase
        for _, direction, before, after in change.calls
    )


def a_run_succeeds_when_every_step_is_done(change: Change) -> bool:
    """Success: every step was done or skipped; a fallback that took over stands for its owner."""
    status = change.after.status
    if change.plan is None or not status.steps or change.before.status.completion_time is not None:
        return True
    steps = steps_of(status)
    done = all(step.phase is Phase.SKIPPED or is_done(change.facts, steps, id) for id, step in steps.items())
    if status.phase is Phase.SUCCESS:
        return done and status.completion_time is not None
    return not (done and moving(change))


def a_run_fails_when_a_failure_counts(change: Change) -> bool:
    """It starts when the forward part ended in Failure: a step's Failure that no fallback absorbed, or RunTimeout."""
    status = change.after.status
    steps = steps_of(status)
    counts = any(failed_for_good(change.facts, steps, id) for id in steps)
    if moving(change):
        return not counts
    compensation = status.compensation
    fails = going_forward(change.before.status) and compensation is not None and compensation.trigger == "Failure"
    return not fails or counts or any(step.reason == "RunTimeout" for step in steps.values()) or _timed_out(change)


def _timed_out(change: Change) -> bool:
    return any(each.type == "Succeeded" and each.reason == "RunTimeout" for each in change.after.status.conditions)


def nothing_forward_begins_after_failure_or_abort(change: Change) -> bool:
    """No further forward attempt: with the write that records the failure, or the abort, nothing forward is called."""
    forward = [attempt for attempt in change.attempts if attempt.direction is Direction.DO]
    return not forward or going_forward(change.after.status)


def who_is_waited_for_ends_in_success_or_aborted(change: Change) -> bool:
    """A sibling in flight is waited for; if not in Success, or if it was backing off, its phase is Aborted. Steps that
    never started stay Pending."""
    status = change.after.status
    if change.plan is None or status.start_time is None or going_forward(status):
        return True
    return all(
        step.phase in (*CLOSED, Phase.PENDING) or (step.phase is Phase.RUNNING and step.next_attempt_time is None)
        for step in status.steps
    )


def a_passed_timeout_cuts(change: Change) -> bool:
    """`timeout.total`: in flight is cut; step Failure. `timeout.run`: no new step starts, calls in flight are cut."""
    status, policy = change.after.status, change.facts.policy
    if change.plan is None or is_frozen(status):
        return True
    if change.move.kind != "command" and _timed_out(change) and any(in_flight(step) for step in status.steps):
        return False
    left = [run_left(change.after, policy), *(step_left(change.after, step, policy) for step in status.steps)]
    return not going_forward(status) or all(each is None or each > 0 for each in left)


def a_timeout_passes_when_its_time_is_over(change: Change) -> bool:
    """`timeout.total` and `timeout.run` count from startTime, and only while nothing is suspended."""
    before, policy = change.before, change.facts.policy
    if change.plan is None:
        return True
    if _timed_out(change) and condition(before.status, "Succeeded") == "Unknown":
        left = run_left(before, policy)
        if left is None or left > 0:
            return False
    steps = steps_of(before.status)
    for step in change.after.status.steps:
        if step.reason == "StepTimeout" and steps[step.id].phase is Phase.RUNNING:
            left = step_left(before, steps[step.id], policy)
            if left is None or left > 0:
                return False
    return True


def the_clocks_stand_still_while_suspended(change: Change) -> bool:
    """Suspension stops the clocks of `total` and `run`."""
    before, after, policy = change.before, change.after, change.facts.policy
    if policy.run is None and policy.total is None:
        return True
    passed = (after.now - before.now).total_seconds()
    old, new = run_left(before, policy), run_left(after, policy)
    stopped = suspended(before.status) is not None
    if old is not None and new is not None and not _near(new, old if stopped else old - passed):
        return False
    steps = steps_of(before.status)
    for step in after.status.steps:
        was = step_left(before, steps[step.id], policy) if step.id in steps else None
        left = step_left(after, step, policy)
        same = step.id in steps and steps[step.id].start_time == step.start_time
        stopped = is_frozen(before.status)
        if was is not None and left is not None and same and not _near(left, was if stopped else was - passed):
            return False
    return True


def _near(one: float, other: float) -> bool:
    return abs(one - other) < 0.001
