"""Where a run can be, and when two such places are one: nothing that can follow tells them apart.

Left out of the key are the moment, ids, nonces, messages and logs, and how often a person gave a fresh budget or a new
key. Times are what is left until they matter.
"""

from datetime import datetime
from typing import Any, NamedTuple

from tests.engine.explorer.graphs import Policy
from tests.engine.explorer.reading import FROZEN, Facts, suspended, to_be_undone

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


class Clock(NamedTuple):
    """What tells how much time is left."""

    now: float
    stopped: float | None
    """When the clock of the run stopped, if it stands still."""
    frozen: bool
    total: float | None


def key(state: State, facts: Facts) -> tuple[Any, ...]:
    """The same for states of one workflow that nothing can tell apart."""
    status = state.status
    memory = (state.held, state.news, state.told)
    if status.completion_time is not None:
        return memory, status.observed_generation, state.flying
    clock = _clock(state, facts.policy)
    reason = suspended(status)
    held_by = reason if reason in FROZEN else None
    back = status.compensation
    if back is None or back.phase is None:
        left = _run_left(status, facts.policy, clock)
        return memory, held_by, left, status.start_time is None, tuple(_forward(s, state, clock) for s in status.steps)
    course = (ONGOING.get(back.phase, back.phase), back.trigger, back.start_time is None)
    return memory, held_by, course, tuple(_backward(step, state, facts, clock) for step in status.steps)


def _clock(state: State, policy: Policy) -> Clock:
    status = state.status
    found = next((each for each in status.conditions if each.type == "Suspended" and each.status == "True"), None)
    return Clock(
        now=state.now.timestamp(),
        stopped=found and found.last_transition_time.timestamp(),
        frozen=found is not None and found.reason in FROZEN,
        total=seconds(policy.total) if policy.total else None,
    )


def _run_left(status: ExecutionStatus, policy: Policy, clock: Clock) -> float | None:
    if status.start_time is None or policy.run is None:
        return None
    until = clock.now if clock.stopped is None else clock.stopped
    return status.start_time.timestamp() + seconds(policy.run) + status.suspended_seconds - until


def _forward(step: StepStatus, state: State, clock: Clock) -> tuple[Any, ...]:
    """A step while the run goes forward."""
    undo = step.compensation and _undo(step.compensation, state, clock)
    if step.phase is not Phase.RUNNING and step.phase is not Phase.SUSPEND:
        return step.phase, step.effect, step.reason in TELLING_REASONS, step.fallback, undo
    left = None
    if clock.total is not None and step.start_time is not None:
        began = step.start_time.timestamp()
        until = max(clock.stopped, began) if clock.frozen and clock.stopped is not None else clock.now
        left = began + clock.total + step.suspended_seconds - until
    return step.effect, _open(step, state, clock), left, undo


def _backward(step: StepStatus, state: State, facts: Facts, clock: Clock) -> tuple[Any, ...]:
    """A step after the forward part: it may be in flight still, and perhaps it is to be undone."""
    undo = step.compensation and _undo(step.compensation, state, clock)
    going = _open(step, state, clock) if step.phase is Phase.RUNNING else None
    return to_be_undone(facts, step), going, undo


def _undo(undo: CallStatus, state: State, clock: Clock) -> tuple[Any, ...]:
    if undo.phase is Phase.SUCCESS or undo.phase is Phase.PENDING or undo.reason == "CompensationGivenUp":
        return (undo.phase,)
    return _open(undo, state, clock)


def _open(call: CallStatus, state: State, clock: Clock) -> tuple[Any, ...]:
    """A call that goes on, or waits for a person to say so."""
    due = call.next_attempt_time
    running = call.phase is Phase.RUNNING
    return (
        call.phase,
        call.uncertain,
        call.attempts - call.budget_from if running else 0,
        call.generation > 0,
        running and due is None and call.attempt_id in state.flying,
        due and max(0.0, due.timestamp() - clock.now),
        call.reason if call.reason in TELLING_REASONS else None,
        call.request is None,
    )
