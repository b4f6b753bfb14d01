"""Random runs of random workflows: what must always be true is in invariants.py, what it leads to is here."""

from typing import Any

from hypothesis import given, settings
from tests.engine.driving import answer_everything, begin, carry_out, let_it_end
from tests.engine.strategies import ANYTHING, NOBODY_INTERFERES, Move, layers, workflows
from tests.engine.world import reread

from flow_operator.api.status import Direction, Phase
from flow_operator.engine.state import calls


@settings(max_examples=300)
@given(workflows(), ANYTHING)
def test_whatever_happens_every_sentence_holds(spec: dict[str, Any], moves: list[Move]) -> None:
    history = begin(spec)
    for move in moves:
        carry_out(history, move)


@settings(max_examples=250)
@given(workflows(), ANYTHING)
def test_every_run_ends_once_all_services_answer_and_people_help(spec: dict[str, Any], moves: list[Move]) -> None:
    history = begin(spec)
    for move in moves:
        carry_out(history, move)
    let_it_end(history)


@settings(max_examples=150)
@given(workflows(), NOBODY_INTERFERES)
def test_without_people_a_run_ends_or_waits_for_them(spec: dict[str, Any], moves: list[Move]) -> None:
    history = begin(spec)
    for move in moves:
        carry_out(history, move)
    answer_everything(history)
    status = history.world.status
    waits = any(call.phase is Phase.SUSPEND for _, _, call in calls(status))
    assert (status.completion_time is not None) is not waits


@settings(max_examples=50)
@given(workflows(wild=False))
def test_the_happy_path_causes_no_event_and_no_undo(spec: dict[str, Any]) -> None:
    history = begin(spec)
    events = answer_everything(history)
    assert history.world.status.phase is Phase.SUCCESS
    assert not events
    assert all(attempt.direction is Direction.DO and attempt.number == 1 for attempt in history.sent)
    assert sorted(attempt.step for attempt in history.sent) == sorted(step["id"] for step in spec["steps"])


@settings(max_examples=30)
@given(layers())
def test_l_levels_cost_l_plus_one_writes(levels: list[list[str]]) -> None:
    before: list[str] = []
    steps = []
    for level in levels:
        steps += [{"id": id, "requires": before, "endpoint": {"url": "http://s"}} for id in level]
        before = level
    history = begin({"steps": steps})
    answer_everything(history)
    assert history.world.status.phase is Phase.SUCCESS
    assert history.world.writes == len(levels) + 1


@settings(max_examples=60)
@given(workflows(), NOBODY_INTERFERES)
def test_a_crash_after_every_write_changes_nothing_but_what_was_in_flight(
    spec: dict[str, Any], moves: list[Move]
) -> None:
    history = begin(spec)
    for move in moves:
        carry_out(history, move)
        history.world.crash()
        assert history.world.status == reread(history.world.stored)
        history.look()
    answer_everything(history)
