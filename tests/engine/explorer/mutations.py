"""Rules of the engine, each broken on purpose in one small place, and the invariants that must notice it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from flow_operator.api.reasons import Reason
from flow_operator.api.status import CallStatus, Direction, ExecutionStatus, Phase
from flow_operator.engine import (
    aborting,
    backward,
    calls,
    compensation,
    forward,
    planning,
    recording,
    sending,
    suspension,
)
from flow_operator.engine.conditions import frozen
from flow_operator.engine.planning_context import PlanningContext
from flow_operator.engine.state import replaced
from flow_operator.engine.verdicts import judge_do

Patch = tuple[Any, str, Callable[..., Any]]


@dataclass(frozen=True)
class Mutation:
    """A rule that is broken, how, and by which invariants that is found."""

    name: str
    patches: tuple[Patch, ...]
    found_by: tuple[str, ...]

    def apply(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Break it."""
        for module, name, replacement in self.patches:
            monkeypatch.setattr(module, name, replacement)


def _no(*_: Any, **__: Any) -> bool:
    return False


def _only_when_backed_off(context: PlanningContext, call: CallStatus) -> bool:
    return call.next_attempt_time is not None and call.next_attempt_time <= context.now


def _numbered_anew(original: Callable[..., Any]) -> Callable[..., Any]:
    def begin(call: Any, *rest: Any) -> Any:
        return original(replaced(call, phase=Phase.PENDING), *rest)

    return begin


def _without_cutting(context: PlanningContext, status: ExecutionStatus) -> ExecutionStatus:
    return forward.end_forward(
        context.run, status, Phase.FAILURE, Reason.RUN_TIMEOUT, "it has passed", context.now, undo=True
    )


def _retrying_while_frozen(original: Callable[..., Any]) -> Callable[..., Any]:
    def go_on(context: PlanningContext, status: ExecutionStatus) -> Any:
        return sending.resend(context, status, Direction.DO) if frozen(status) else original(context, status)

    return go_on


def _certain(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **_: original(*args, conflicted=False)


MUTATIONS = (
    Mutation(
        "the order of undos is ignored",
        ((compensation, "_still_required", _no),),
        ("an_undo_waits_for_all_that_required_the_step",),
    ),
    Mutation(
        "an undo begins while a forward call is in flight",
        ((backward, "awaiting_forward", _no),),
        ("an_undo_starts_when_nothing_forward_is_in_flight", "an_end_leaves_nothing_open"),
    ),
    Mutation(
        "calls in flight are not cut when the run times out",
        ((forward, "_time_out_run", _without_cutting),),
        ("a_passed_timeout_cuts",),
    ),
    Mutation(
        "the effect of an attempt is forgotten with the next",
        ((calls, "stronger", lambda _, other: other),),
        ("the_effect_is_what_was_observed", "an_effect_never_weakens"),
    ),
    Mutation(
        "a lost attempt gets a new number",
        ((sending, "begin", _numbered_anew(calls.begin)),),
        ("the_number_grows_unless_the_attempt_was_lost", "a_call_is_announced_before_it_is_sent"),
    ),
    Mutation(
        "a lost attempt is not repeated",
        (
            (
                sending,
                "_due",
                lambda context, call: bool(call.next_attempt_time and call.next_attempt_time <= context.now),
            ),
        ),
        ("nothing_that_is_lost_stays_in_flight",),
    ),
    Mutation(
        "a fallback starts although its owner is not undone",
        ((forward, "undoable", _no),),
        ("a_fallback_starts_when_its_owner_has_failed_and_is_undone",),
    ),
    Mutation(
        "a run that has ended can be aborted",
        ((aborting, "not_ended", _no), (aborting, "forward_over", _no)),
        ("a_command_is_accepted_where_the_table_says_so", "the_end_is_final"),
    ),
    Mutation(
        "suspend does not stop retries",
        ((planning, "_advance_and_retreat", _retrying_while_frozen(planning._advance_and_retreat)),),
        ("nothing_begins_while_frozen",),
    ),
    Mutation(
        "suspension stops no clock",
        ((suspension, "_clocks_stood_still", lambda status, *_: status),),
        ("the_clocks_stand_still_while_suspended", "a_timeout_passes_when_its_time_is_over"),
    ),
    Mutation(
        "nobody is woken",
        ((planning, "wake_at", lambda *_: None),),
        ("somebody_or_something_wakes_a_run", "stuck"),
    ),
    Mutation(
        "a conflict is certain though an attempt was lost",
        ((recording, "judge_do", _certain(judge_do)),),
        ("an_answer_is_judged_by_the_table", "the_effect_is_what_was_observed"),
    ),
    Mutation(
        "a new key is the old one",
        ((sending, "idempotency_key", lambda uid, step, direction, _: f"{uid}/{step}/{direction}/0"),),
        ("every_attempt_of_a_call_carries_the_same_key",),
    ),
    Mutation(
        "one retry too many",
        ((recording, "budget_left", lambda call, limit: call.attempts - call.budget_from <= limit + 1),),
        ("an_answer_is_judged_by_the_table",),
    ),
    Mutation(
        "an undo that failed is not parked",
        ((planning, "park_failed_undos", lambda status: status),),
        ("a_failed_undo_parks",),
    ),
    Mutation(
        "a run that is undone does not end",
        ((backward, "undone", _no),),
        ("stuck", "somebody_or_something_wakes_a_run"),
    ),
)
