"""Where a run can be, and when two such places are one: nothing that can follow tells them apart.

What follows is decided by `plan` and `record`, by the moves that are possible, and by what the invariants look at. Of a
status these read which calls are open and how (`_open`), what has come of the others as far as anybody asks, who holds
the run, and the course of the backward part. Left out are:

- the moment, ids, nonces, messages and logs: nothing is decided by them, and of times only what is left of them counts;
- how often a person gave a fresh budget or a new key: what is left of the budget counts, and whether the key is new;
- what the next look computes anew whatever it was: phase, progress, conditions, the phase of an undo that goes on;
- after the forward part how its steps ended: only whether each is to be undone is asked again;
- after the end everything: only a rejected command and a new generation can still be seen.

That this is right is not taken on trust: `twins.py` looks for states of one place that something tells apart.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tests.engine.explorer.graphs import Policy
from tests.engine.explorer.reading import (
    FROZEN,
    Facts,
    going_forward,
    is_frozen,
    suspended,
    suspended_since,
    to_be_undone,
)

from flow_operator.api.duration import seconds
from flow_operator.api.status import CallStatus, CompensationPhase, ExecutionStatus, Phase, StepStatus

TELLING_REASONS = frozenset({"CompensationGivenUp", "StatusTooLarge", "RequestChanged"})
"""Reasons of a call that the engine decides by."""
ONGOING = dict.fromkeys((CompensationPhase.PENDING, CompensationPhase.RUNNING, CompensationPhase.SUSPEND), "undoing")
"""Phases of the backward part that are computed anew from its calls by each look."""


class State(NamedTuple):
    """A run, and what is in the memory of its operator."""

    status: ExecutionStatus
    flying: frozenset[str]
    """Attempts that the operator waits for."""
    now: datetime
    held: bool = False
    """spec.suspend"""
    news: int = 0
    """Things that happened since the operator looked."""
    told: bool = False
    """Whether answers are among them: the status has them, but it is not stored."""
    wake_at: datetime | None = None


def key(state: State, facts: Facts) -> tuple[Any, ...]:
    """The same for states of one workflow that nothing can tell apart."""
    status = state.status
    memory = (state.held, state.news, state.told)
    if status.completion_time is not None:
        return memory, status.observed_generation, bool(state.flying), ()
    reason = suspended(status)
    held_by = reason if reason in FROZEN else None
    back = status.compensation
    if back is None or back.phase is None:
        steps = tuple(_forward(step, state, facts.policy) for step in status.steps)
        return memory, held_by, run_left(state, facts.policy), status.start_time is None, steps
    course = (ONGOING.get(back.phase, back.phase), back.trigger, back.start_time is None, back.completion_time is None)
    return memory, held_by, course, tuple(_backward(step, state, facts) for step in status.steps)


Place = tuple[Any, ...]


class Places:
    """Tells places apart. `symmetries` are ways to rename the steps that give the same workflow: places that differ by
    one of them are one, as everything that follows in the one follows in the other under other names."""

    def __init__(self, facts: Facts, symmetries: Sequence[tuple[int, ...]] = ()) -> None:
        self._facts = facts
        self._symmetries = symmetries
        self._numbers: dict[Any, int] = {}

    def of(self, state: State) -> Place:
        """The place of a state."""
        *run, steps = key(state, self._facts)
        numbers = tuple(self._numbers.setdefault(step, len(self._numbers)) for step in steps)
        return (*run, min(renamed(numbers, self._symmetries), default=numbers))


def renamed(steps: Sequence[Any], symmetries: Sequence[tuple[int, ...]]) -> Iterator[tuple[Any, ...]]:
    """The same steps under every choice of names."""
    return (tuple(steps[each] for each in order) for order in symmetries if steps)


def run_left(state: State, policy: Policy) -> float | None:
    """Seconds until `timeout.run` passes; its clock stands still while Suspended is True."""
    status = state.status
    if status.start_time is None or policy.run is None or not going_forward(status):
        return None
    until = suspended_since(status) or state.now
    return (status.start_time - until).total_seconds() + seconds(policy.run) + status.suspended_seconds


def step_left(state: State, step: StepStatus, policy: Policy) -> float | None:
    """Seconds until `timeout.total` of a running step passes; its clock stands still while the run is frozen."""
    if policy.total is None or step.start_time is None or step.phase is not Phase.RUNNING:
        return None
    since = suspended_since(state.status) if is_frozen(state.status) else None
    until = state.now if since is None else max(since, step.start_time)
    return (step.start_time - until).total_seconds() + seconds(policy.total) + step.suspended_seconds


def _forward(step: StepStatus, state: State, policy: Policy) -> tuple[Any, ...]:
    """A step while the run goes forward."""
    undo = step.compensation and _undo(step.compensation, state)
    if step.phase is not Phase.RUNNING and step.phase is not Phase.SUSPEND:
        return step.phase, step.effect, step.reason in TELLING_REASONS, step.fallback is None, undo
    return step.effect, _open(step, state), step_left(state, step, policy), undo


def _backward(step: StepStatus, state: State, facts: Facts) -> tuple[Any, ...]:
    """A step after the forward part: it may be in flight still, and perhaps it is to be undone."""
    undo = step.compensation and _undo(step.compensation, state)
    going = _open(step, state) if step.phase is Phase.RUNNING else None
    return to_be_undone(facts, step), going, undo


def _undo(undo: CallStatus, state: State) -> tuple[Any, ...]:
    if undo.phase is Phase.SUCCESS or undo.phase is Phase.PENDING or undo.reason == "CompensationGivenUp":
        return (undo.phase,)
    return _open(undo, state)


def _open(call: CallStatus, state: State) -> tuple[Any, ...]:
    """A call that goes on, or waits for a person to say so."""
    due = call.next_attempt_time
    running = call.phase is Phase.RUNNING
    return (
        call.phase,
        call.uncertain,
        call.attempts - call.budget_from if running else 0,
        call.generation > 0,
        running and due is None and call.attempt_id in state.flying,
        due and max(0.0, (due - state.now).total_seconds()),
        call.reason if call.reason in TELLING_REASONS else None,
        call.request is None,
    )
