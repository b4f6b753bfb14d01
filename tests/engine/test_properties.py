"""Random runs of random workflows: what must always be true is in history.py, what it leads to is here."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from tests.engine.history import History
from tests.engine.strategies import ANSWERS, ANYTHING, NOBODY_INTERFERES, Move, layers, workflows
from tests.engine.world import World, reread

from flow_operator.api.status import Direction, Phase
from flow_operator.engine.definition import Definition
from flow_operator.engine.observation import Answered
from flow_operator.engine.readiness import definition_of
from flow_operator.engine.state import calls

GOOD = Answered(200, {}, b"{}")


@settings(max_examples=150)
@given(workflows(), ANYTHING)
def test_whatever_happens_every_sentence_holds(spec: dict[str, Any], moves: list[Move]) -> None:
    history = begin(spec)
    for move in moves:
        carry_out(history, move)


@settings(max_examples=100)
@given(workflows(), ANYTHING)
def test_every_run_ends_once_all_services_answer_and_people_help(spec: dict[str, Any], moves: list[Move]) -> None:
    history = begin(spec)
    for move in moves:
        carry_out(history, move)
    let_it_end(history)


@settings(max_examples=100)
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


def begin(spec: dict[str, Any]) -> History:
    """A run of this workflow that has just started."""
    definition = definition_of("order", spec, {})
    assert isinstance(definition, Definition), definition
    history = History(World(definition=definition), definition)
    history.look()
    return history


def carry_out(history: History, move: Move) -> None:
    """Let this happen, and look."""
    world = history.world
    match move.kind:
        case "answer":
            flying = sorted(world.in_flight.values(), key=lambda attempt: (attempt.step, attempt.direction))
            if flying:
                attempt = flying[move.which % len(flying)]
                world.observe(attempt.direction, attempt.step, ANSWERS[move.what])
                return  # whoever comes next looks: answers may come together
        case "wait":
            world.wait(timedelta(seconds=move.which))
        case "crash":
            world.crash()
        case "spec":
            world.spec["suspend"] = bool(move.which)
            world.generation += 1
        case "command":
            order(history, move)
    history.look()


def order(history: History, move: Move) -> None:
    """A person gives a command; it may well be one that is not possible."""
    history.new_keys += move.what == "retry with new key"
    steps = history.world.status.steps
    step = steps[move.which % len(steps)].id if steps else "s0"
    verb, args = {
        "abort without": ("abort", {"compensate": False}),
        "retry with new key": ("retry", {"newKey": True}),
        "skip": ("skip", {"step": step, "reason": "by hand"}),
    }.get(move.what, (move.what, {}))
    history.world.order(verb, args)


def answer_everything(history: History) -> list[object]:
    """Every call succeeds and time passes, until nothing happens any more; the events meanwhile."""
    events: list[object] = list(history.look().events)
    for _ in range(200):
        world = history.world
        if world.in_flight:
            attempt = min(world.in_flight.values(), key=lambda attempt: (attempt.step, attempt.direction))
            world.observe(attempt.direction, attempt.step, GOOD)
        elif world.wake_at is not None:
            world.now = world.wake_at
        else:
            return events
        events += history.look().events
    raise AssertionError("it goes on and on")


def let_it_end(history: History) -> None:
    """Nobody holds the run any more, what waits for a person is retried, every call succeeds: it must end."""
    world = history.world
    world.spec["suspend"] = False
    world.order("resume", {})
    answer_everything(history)
    while any(call.phase is Phase.SUSPEND for _, _, call in calls(world.status)):
        world.order("retry", {})
        answer_everything(history)
    assert world.status.completion_time is not None
