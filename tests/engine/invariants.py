"""What must be true of every run, whatever happens to it. Each check is named after its sentence in semantics.md."""

from tests.engine.history import Check, History

from flow_operator.api.reasons import Reason
from flow_operator.api.status import Direction, Effect, Phase, StepStatus
from flow_operator.engine.compensation import undone
from flow_operator.engine.conditions import frozen
from flow_operator.engine.contract import Attempt, Plan
from flow_operator.engine.forward import satisfies_dependents
from flow_operator.engine.state import call_of, called_off, forward_over, in_flight, step_of
from flow_operator.engine.suspension import suspended_by

FINAL = {Phase.SUCCESS, Phase.FAILURE, Phase.ABORTED, Phase.SKIPPED}
RANK = [Effect.NONE, Effect.UNKNOWN, Effect.APPLIED]


def of(plan: Plan, direction: Direction) -> list[Attempt]:
    """The attempts of this direction."""
    return [attempt for attempt in plan.attempts if attempt.direction is direction]


def pairs(history: History, plan: Plan) -> list[tuple[StepStatus, StepStatus]]:
    """Each step before and after."""
    known = {step.id: step for step in history.before.steps}
    return [(known[step.id], step) for step in plan.status.steps if step.id in known]


def a_call_is_announced_before_it_is_sent(_: History, plan: Plan) -> None:
    for attempt in plan.attempts:
        step = step_of(plan.status, attempt.step)
        call = step if attempt.direction is Direction.DO else step.compensation
        assert call is not None
        assert in_flight(call)
        assert (call.attempt_id, call.attempts) == (attempt.id, attempt.number)
        assert call.idempotency_key == attempt.request.header["idempotency-key"]
        assert call.request is not None


def the_key_is_the_same_across_retries_and_restarts(history: History, plan: Plan) -> None:
    for attempt in plan.attempts:
        keys = {
            other.request.header["idempotency-key"]
            for other in [*history.sent, *plan.attempts]
            if (other.step, other.direction) == (attempt.step, attempt.direction)
        }
        assert len(keys) <= 1 + history.new_keys


def a_retry_sends_the_same_bytes(history: History, plan: Plan) -> None:
    def content(attempt: Attempt) -> tuple[object, ...]:
        ours = {"x-flow-attempt", "traceparent"}
        header = {name: value for name, value in attempt.request.header.items() if name not in ours}
        return attempt.request.method, attempt.request.url, header, attempt.request.body

    for attempt in plan.attempts:
        key = attempt.request.header["idempotency-key"]
        for other in history.sent:
            if other.request.header["idempotency-key"] == key:
                assert content(attempt) == content(other)


def the_number_grows_unless_the_attempt_was_lost(history: History, plan: Plan) -> None:
    known = {step.id for step in history.recorded.steps}
    for attempt in plan.attempts:
        call = call_of(history.recorded, attempt.step, attempt.direction) if attempt.step in known else None
        key = attempt.request.header["idempotency-key"]
        if call is None or call.idempotency_key != key:
            assert attempt.number == 1
        else:
            assert attempt.number == call.attempts + (not in_flight(call))


def nothing_forward_after_failure_or_abort(_: History, plan: Plan) -> None:
    assert not (forward_over(plan.status) and of(plan, Direction.DO))


def nothing_new_while_frozen_or_ended(_: History, plan: Plan) -> None:
    if frozen(plan.status) or plan.status.completion_time is not None:
        assert not plan.attempts


def a_step_starts_when_all_it_requires_is_done(history: History, plan: Plan) -> None:
    for attempt in of(plan, Direction.DO):
        if attempt.step in history.definition.dag.owner:
            owner = step_of(plan.status, history.definition.dag.owner[attempt.step])
            assert owner.phase is Phase.FAILURE
            assert owner.fallback == attempt.step
            assert not history.has_undo_to_come(owner)
        else:
            requires = history.definition.by_id[attempt.step].requires
            assert all(satisfies_dependents(plan.status, step_of(plan.status, id)) for id in requires)


def nothing_is_in_flight_when_undoing_starts(history: History, plan: Plan) -> None:
    for attempt in of(plan, Direction.UNDO):
        if history.first(attempt) and forward_over(plan.status):
            assert not any(in_flight(step) for step in plan.status.steps)


def undone_are_the_steps_that_may_have_had_an_effect(history: History, plan: Plan) -> None:
    for attempt in of(plan, Direction.UNDO):
        assert history.has_undo_to_come(step_of(plan.status, attempt.step))
    for step in plan.status.steps:
        assert step.compensation is None or undone(step) or history.has_undo_to_come(step)


def the_undo_of_a_step_starts_when_all_that_required_it_is_undone(history: History, plan: Plan) -> None:
    for attempt in of(plan, Direction.UNDO):
        later = history.later(attempt.step)
        assert not any(history.has_undo_to_come(step) for step in plan.status.steps if step.id in later)


def the_plan_is_one_valid_order(history: History, plan: Plan) -> None:
    order = [undo.step for undo in (plan.status.compensation and plan.status.compensation.plan) or ()]
    for place, id in enumerate(order):
        assert not history.later(id) & set(order[place:])


def at_most_ten_undos_at_once(_: History, plan: Plan) -> None:
    assert sum(step.compensation is not None and in_flight(step.compensation) for step in plan.status.steps) <= 10


def an_undo_that_succeeded_is_never_called_again(history: History, plan: Plan) -> None:
    for old, new in pairs(history, plan):
        if undone(old):
            assert undone(new)


def a_phase_that_is_final_stays(history: History, plan: Plan) -> None:
    for old, new in pairs(history, plan):
        assert old.phase not in FINAL or new.phase is old.phase


def the_effect_is_the_strongest_of_any_attempt(history: History, plan: Plan) -> None:
    for old, new in pairs(history, plan):
        assert RANK.index(new.effect) >= RANK.index(old.effect)


def only_the_last_five_attempts_are_kept(_: History, plan: Plan) -> None:
    for step in plan.status.steps:
        assert len(step.attempt_log) <= 5


def the_end_is_final(history: History, plan: Plan) -> None:
    old, new = history.before, plan.status
    if old.completion_time is not None:
        assert (new.completion_time, new.phase, new.steps) == (old.completion_time, old.phase, old.steps)
        assert (new.output, new.compensation) == (old.output, old.compensation)


def an_end_leaves_nothing_open(_: History, plan: Plan) -> None:
    if plan.status.completion_time is None:
        return
    assert plan.wake_at is None
    assert plan.status.phase in {Phase.SUCCESS, Phase.FAILURE, Phase.ABORTED}
    compensation = plan.status.compensation
    assert compensation is not None
    assert compensation.phase in {"NotNeeded", "Success", "Failure"}
    for step in plan.status.steps:
        assert step.phase in FINAL | {Phase.PENDING}
        assert step.compensation is None or step.compensation.phase in {Phase.SUCCESS, Phase.FAILURE}


def a_frozen_run_does_not_end_unless_it_was_called_off(history: History, plan: Plan) -> None:
    old, new = history.before, plan.status
    if old.completion_time is None and new.completion_time is not None and not called_off(new):
        assert not history.world.spec.get("suspend") or old.start_time is None
        if suspended_by(old) == Reason.SUSPENDED_BY_COMMAND:
            assert new.last_command != old.last_command


def a_run_that_was_undone_has_nothing_left(history: History, plan: Plan) -> None:
    compensation = plan.status.compensation
    if compensation is not None and compensation.phase == "Success":
        assert not any(history.has_undo_to_come(step) for step in plan.status.steps)


def a_success_has_every_step_done(_: History, plan: Plan) -> None:
    if plan.status.phase is Phase.SUCCESS:
        assert all(satisfies_dependents(plan.status, step) for step in plan.status.steps)


def succeeded_is_unknown_until_the_phase_decides(_: History, plan: Plan) -> None:
    succeeded = next(each for each in plan.status.conditions if each.type == "Succeeded")
    decided = forward_over(plan.status)
    assert (succeeded.status == "Unknown") is not decided
    if plan.status.phase is Phase.SUCCESS:
        assert succeeded.status == "True"


def ended_is_true_with_the_completion_time(_: History, plan: Plan) -> None:
    ended = next(each for each in plan.status.conditions if each.type == "Ended")
    assert ended.status == ("False" if plan.status.completion_time is None else "True")


def stalled_and_reconciling_exclude_each_other(_: History, plan: Plan) -> None:
    truth = {each.type: each.status for each in plan.status.conditions}
    assert not (truth["Stalled"] == "True" and truth["Reconciling"] == "True")
    if plan.status.completion_time is not None:
        assert truth["Reconciling"] == "False"
        assert (truth["Stalled"] == "True") is (plan.status.phase is not Phase.SUCCESS)


CHECKS: tuple[Check, ...] = (
    ended_is_true_with_the_completion_time,
    a_call_is_announced_before_it_is_sent,
    the_key_is_the_same_across_retries_and_restarts,
    a_retry_sends_the_same_bytes,
    the_number_grows_unless_the_attempt_was_lost,
    nothing_forward_after_failure_or_abort,
    nothing_new_while_frozen_or_ended,
    a_step_starts_when_all_it_requires_is_done,
    nothing_is_in_flight_when_undoing_starts,
    undone_are_the_steps_that_may_have_had_an_effect,
    the_undo_of_a_step_starts_when_all_that_required_it_is_undone,
    the_plan_is_one_valid_order,
    at_most_ten_undos_at_once,
    an_undo_that_succeeded_is_never_called_again,
    a_phase_that_is_final_stays,
    the_effect_is_the_strongest_of_any_attempt,
    only_the_last_five_attempts_are_kept,
    the_end_is_final,
    an_end_leaves_nothing_open,
    a_frozen_run_does_not_end_unless_it_was_called_off,
    a_run_that_was_undone_has_nothing_left,
    a_success_has_every_step_done,
    succeeded_is_unknown_until_the_phase_decides,
    stalled_and_reconciling_exclude_each_other,
)
