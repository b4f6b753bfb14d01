"""The walk over all that can happen to the runs of one workflow: breadth first, each state once.

From a state that the operator has looked at, one thing happens; then it looks, or up to `Alphabet.together` things
happen before it does. A look is: plan, store, act. So an attempt is sent only after the status that announces it was
stored, by construction; a crash loses what is in flight, which is also what becomes of a plan that was stored and of
which nothing was sent; and a plan whose write is refused is as if nobody had looked.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from tests.engine.explorer import moves as can
from tests.engine.explorer.change import Change
from tests.engine.explorer.graphs import Graph, Policy, symmetries, workflow
from tests.engine.explorer.liveness import circling, stuck
from tests.engine.explorer.moves import Alphabet, Move
from tests.engine.explorer.possible import possible
from tests.engine.explorer.reading import Facts, call_at, calls_of, facts, in_flight, is_frozen, waiting
from tests.engine.explorer.states import Place, Places, State
from tests.engine.explorer.story import story
from tests.engine.world import BEGINNING, SERVICE_URL

from flow_operator.api.duration import seconds, written
from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.status import Direction, ExecutionStatus, Phase
from flow_operator.engine import planning, recording
from flow_operator.engine.contract import Command, Outcome, Plan, Run
from flow_operator.engine.definitions.definition import Definition
from flow_operator.engine.readiness import definition_of

Invariant = Callable[[Change], bool]
LONG = "1m"
"""Longer than any back-off: what a run can sleep through while it is frozen."""


class Violation(AssertionError):
    """A sentence of the semantics that does not hold, and the shortest story in which it does not."""

    def __init__(self, name: str, sentence: str, told: str) -> None:
        super().__init__(name, sentence, told)
        self.name = name

    def __str__(self) -> str:
        name, sentence, told = self.args
        return f"{name}: {sentence}\n\n{told}"


@dataclass
class Walk:
    """Every state of the runs of one workflow."""

    graph: Graph
    policy: Policy
    alphabet: Alphabet
    invariants: Sequence[Invariant]
    backwards: bool = False
    """List children before their parents."""
    alike: bool = False
    """Take states for one that differ only in which of two interchangeable steps is where."""
    states: list[State | None] = field(default_factory=list)
    """None once it was left behind: what is needed of it are the ways from it."""
    ways: list[list[int]] = field(default_factory=list)
    """Where help leads from each state: services that answer 200, time, a person who says resume or retry."""
    ended: set[int] = field(default_factory=set)
    edges: int = 0

    def __post_init__(self) -> None:
        self.spec = workflow(self.graph, self.policy, backwards=self.backwards, alike=self.alike)
        definition = definition_of("order", self.spec, {})
        assert isinstance(definition, Definition), definition
        self.definition = definition
        self.facts: Facts = facts(self.graph, self.policy)
        self.symmetries = symmetries(self.graph, backwards=self.backwards)
        self._places = Places(self.facts, self.symmetries if self.alike else ())
        self._known: dict[Place, int] = {}
        self._came: list[tuple[int, Move]] = []
        self._runs = {
            held: ExecutionSpec.model_validate({"workflowRef": {"name": "order"}, "suspend": held})
            for held in (False, True)
        }

    def go(self) -> Self:
        """Walk until there is nothing new."""
        self._reach(State(ExecutionStatus(), frozenset(), BEGINNING, news=1), -1, can.LOOK)
        for index, state in enumerate(self.states):
            assert state is not None
            for move in self._moves(state):
                self._step(index, state, move)
            self.states[index] = None
        for find in (stuck, circling):
            found = find(self.ways, self.ended)
            if found is not None:
                sentence = find.__doc__ or ""
                raise Violation(find.__name__, sentence, story(sentence, self.spec, self.moves_to(found)))
        return self

    def _step(self, index: int, state: State, move: Move) -> None:
        self.edges += 1
        try:
            change = self._after(state, move)
        except Exception as error:
            raise Violation(
                "no_exception", f"the engine raises {error!r}", self._story(index, move, repr(error))
            ) from error
        for invariant in self.invariants:
            if not invariant(change):
                sentence = " ".join((invariant.__doc__ or "").split())
                raise Violation(invariant.__name__, sentence, self._story(index, move, sentence))
        reached = self._reach(change.after, index, move)
        if can.good(move, self.facts.broken_undo) and reached != index:
            self.ways[index].append(reached)

    def _reach(self, state: State, index: int, move: Move) -> int:
        place = self._places.of(state)
        known = self._known.get(place)
        if known is not None:
            return known
        self._known[place] = reached = len(self.states)
        self.states.append(state)
        self._came.append((index, move))
        self.ways.append([])
        if state.status.completion_time is not None:
            self.ended.add(reached)
        return reached

    # What can happen

    def _moves(self, state: State) -> Iterator[Move]:
        yield can.LOOK
        if state.news >= self.alphabet.together:
            return
        yield from self._answers(state)
        if not state.told:
            yield from self._circumstances(state)
        if not state.news or self.alphabet.together > 1:
            ids = waiting(state.status)
            others = [step.id for step in state.status.steps if step.id not in ids]
            for move in self.alphabet.commands(ids, others):
                if self.alphabet.impossible or possible(self.facts, state, move):
                    yield move

    def _answers(self, state: State) -> Iterator[Move]:
        for id, direction, call in calls_of(state.status):
            if in_flight(call) and call.attempt_id in state.flying:
                do = direction is Direction.DO
                yield from can.answers(id, direction, self.alphabet.answers if do else self.alphabet.undo_answers)

    def _circumstances(self, state: State) -> Iterator[Move]:
        if state.flying:
            yield can.CRASH
        if not state.news:
            if state.wake_at is not None:
                yield can.wait(written((state.wake_at - state.now).total_seconds()))
            elif is_frozen(state.status) and _sleeping(state):
                yield can.wait(LONG)
            if self.alphabet.people and self.alphabet.held_by_spec:
                yield can.LET_GO if state.held else can.HOLD

    # What it leads to

    def _after(self, state: State, move: Move) -> Change:
        match move.kind:
            case "look" | "command":
                return self._look(state, move)
            case "answer":
                after = self._answered(state, move)
            case "wait":
                after = state._replace(now=state.now + timedelta(seconds=_seconds(move)))
            case "crash":
                after = state._replace(flying=frozenset())
            case "spec":
                after = state._replace(held=move is can.HOLD)
        return Change(self.facts, move, state, after._replace(news=state.news + 1, wake_at=None))

    def _look(self, state: State, move: Move) -> Change:
        planned = self.plan(state, move)
        after = State(
            planned.status,
            (state.flying - planned.cut) | {attempt.id for attempt in planned.attempts},
            state.now,
            state.held,
            wake_at=planned.wake_at,
        )
        return Change(self.facts, move, state, after, planned)

    def plan(self, state: State, move: Move) -> Plan:
        """What the operator plans in this state."""
        given = None
        if move.kind == "command":
            given = Command(f"command-{self.edges}", move.step, move.args, "kubectl-annotate")
        run = self._run(state.held, given)
        return planning.plan(
            run, self.definition, state.status, state.flying, state.now, f"nonce-{self.edges}", SERVICE_URL
        )

    def _run(self, held: bool, command: Command | None = None) -> Run:
        return Run("shop", "order-1", "uid", 1 + held, self._runs[held], command, 500)

    def _answered(self, state: State, move: Move) -> State:
        call = call_at(state.status, move.step, move.direction)
        assert call is not None
        assert call.attempt_id is not None
        assert move.observation is not None
        began = call.attempt_time or state.now
        outcome = Outcome(call.attempt_id, move.step, move.direction, move.observation, began, state.now)
        status = recording.record(self._run(state.held), self.definition, state.status, outcome, state.now)
        return state._replace(status=status, flying=state.flying - {call.attempt_id}, told=True)

    # How it came about

    def _story(self, index: int, move: Move, title: str) -> str:
        return story(title, self.spec, [*self.moves_to(index), move])

    def moves_to(self, index: int) -> list[Move]:
        """The shortest way to a state."""
        found: list[Move] = []
        while index > 0:
            index, move = self._came[index]
            found.append(move)
        return found[::-1]


def _sleeping(state: State) -> bool:
    return any(
        call.next_attempt_time is not None and call.next_attempt_time > state.now
        for _, _, call in calls_of(state.status)
        if call.phase is Phase.RUNNING
    )


def _seconds(move: Move) -> float:
    return seconds(move.text.removeprefix("wait "))
