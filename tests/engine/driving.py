"""Lets random things happen to a run, and lets it end."""

from datetime import timedelta
from typing import Any

from tests.engine.history import History
from tests.engine.invariants import CHECKS
from tests.engine.strategies import ANSWERS, Move
from tests.engine.world import World

from flow_operator.api.status import Phase
from flow_operator.engine.contract import Event
from flow_operator.engine.definitions.definition import Definition
from flow_operator.engine.messages.observation import Answered
from flow_operator.engine.readiness import definition_of
from flow_operator.engine.state import calls

GOOD = Answered(200, {}, b"{}")


def begin(spec: dict[str, Any]) -> History:
    """A run of this workflow that has just started."""
    definition = definition_of("order", spec, {})
    assert isinstance(definition, Definition), definition
    history = History(World(definition=definition), definition, checks=CHECKS)
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
    orders: dict[str, tuple[str, dict[str, Any]]] = {
        "abort without": ("abort", {"compensate": False}),
        "retry with new key": ("retry", {"newKey": True}),
        "skip": ("skip", {"step": step, "reason": "by hand"}),
    }
    verb, args = orders.get(move.what, (move.what, {}))
    history.world.order(verb, args)


def answer_everything(history: History) -> list[Event]:
    """Every call succeeds and time passes, until nothing happens any more; the events meanwhile."""
    events = list(history.look().events)
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
