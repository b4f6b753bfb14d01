"""How the explorer reads a status, and what it knows of a workflow. Nothing here asks the engine: a rule that is broken
there must not be broken here as well."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from tests.engine.explorer.graphs import IDS, Graph, Policy

from flow_operator.api.status import CallStatus, Direction, Effect, ExecutionStatus, Phase, StepStatus

FROZEN = ("SuspendedByCommand", "SuspendedBySpec")
MAY_HAVE_HAPPENED = (Effect.APPLIED, Effect.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Facts:
    """A workflow, as its author would explain it."""

    policy: Policy
    requires: Mapping[str, tuple[str, ...]]
    accepts: Mapping[str, tuple[str, ...]]
    fallback: Mapping[str, str]
    owner: Mapping[str, str]
    undo: frozenset[str]
    skipped: frozenset[str]
    broken_undo: frozenset[str]
    later: Mapping[str, frozenset[str]]
    """Id → all that required it, through others too: they are undone before it."""


def facts(graph: Graph, policy: Policy) -> Facts:
    """What the author of this workflow knows of it."""
    named = dict(zip(IDS, graph, strict=False))
    fallback = {id: IDS[part.fallback] for id, part in named.items() if part.fallback is not None}
    requires = {id: tuple(IDS[each] for each in part.requires) for id, part in named.items()}
    return Facts(
        policy=policy,
        requires=requires,
        accepts={id: tuple(IDS[each] for each in part.accepts) for id, part in named.items()},
        fallback=fallback,
        owner={to: of for of, to in fallback.items()},
        undo=frozenset(id for id, part in named.items() if part.undo),
        skipped=frozenset(id for id, part in named.items() if part.skipped),
        broken_undo=frozenset(id for id, part in named.items() if part.broken_undo),
        later=_later(requires, fallback),
    )


def _later(requires: Mapping[str, tuple[str, ...]], fallback: Mapping[str, str]) -> dict[str, frozenset[str]]:
    before: dict[str, set[str]] = {id: set() for id in requires}
    for id, parents in requires.items():
        for parent in parents:
            before[id].add(parent)
            while parent in fallback:
                parent = fallback[parent]
                before[id].add(parent)
        if id in fallback:
            before[fallback[id]].add(id)

    def all_before(id: str) -> set[str]:
        return before[id].union(*(all_before(each) for each in before[id]))

    return {id: frozenset(other for other in requires if id in all_before(other)) for id in requires}


def in_flight(call: CallStatus | None) -> bool:
    """In flight means: phase Running, and no `nextAttemptTime`."""
    return call is not None and call.phase is Phase.RUNNING and call.next_attempt_time is None


def steps_of(status: ExecutionStatus) -> dict[str, StepStatus]:
    """Id → step."""
    return {step.id: step for step in status.steps}


def calls_of(status: ExecutionStatus) -> Iterator[tuple[str, Direction, CallStatus]]:
    """Every call that the status knows of."""
    for step in status.steps:
        yield step.id, Direction.DO, step
        if step.compensation is not None:
            yield step.id, Direction.UNDO, step.compensation


def call_at(status: ExecutionStatus, id: str, direction: Direction) -> CallStatus | None:
    """One call."""
    for step in status.steps:
        if step.id == id:
            return step if direction is Direction.DO else step.compensation
    return None


def suspended(status: ExecutionStatus) -> str | None:
    """The reason of Suspended=True."""
    for each in status.conditions:
        if each.type == "Suspended":
            return each.reason if each.status == "True" else None
    return None


def suspended_since(status: ExecutionStatus) -> datetime | None:
    """When Suspended became True; None when it is not."""
    for each in status.conditions:
        if each.type == "Suspended" and each.status == "True":
            return each.last_transition_time
    return None


def is_frozen(status: ExecutionStatus) -> bool:
    """Whether a person, or `spec.suspend`, holds the whole run."""
    return suspended(status) in FROZEN


def waiting(status: ExecutionStatus) -> list[str]:
    """Steps that wait for a person, themselves or their undo."""
    return [id for id, _, call in calls_of(status) if call.phase is Phase.SUSPEND]


def condition(status: ExecutionStatus, type: str) -> str | None:
    """True, False, Unknown, or None when there is no such condition."""
    for each in status.conditions:
        if each.type == type:
            return each.status
    return None


def going_forward(status: ExecutionStatus) -> bool:
    """Whether the forward part runs: `status.compensation.phase` is absent meanwhile."""
    return status.start_time is not None and (status.compensation is None or status.compensation.phase is None)


def is_undone(step: StepStatus) -> bool:
    """Whether its undo succeeded."""
    return step.compensation is not None and step.compensation.phase is Phase.SUCCESS


def to_be_undone(facts: Facts, step: StepStatus) -> bool:
    """Undone are the steps that have `compensate` and whose effect is Applied or Unknown."""
    return step.id in facts.undo and step.effect in MAY_HAVE_HAPPENED


def is_done(facts: Facts, steps: Mapping[str, StepStatus], id: str) -> bool:
    """Whether what requires this step may go on: it, or the fallback that took over, succeeded."""
    step = steps[id]
    if step.phase is Phase.FAILURE and step.fallback is not None:
        return is_done(facts, steps, step.fallback)
    return step.phase is Phase.SUCCESS


def failed_for_good(facts: Facts, steps: Mapping[str, StepStatus], id: str) -> bool:
    """Whether this step failed, and no fallback absorbs it or ever will."""
    if steps[id].phase is not Phase.FAILURE:
        return False
    fallback = facts.fallback.get(id)
    return fallback is None or steps[fallback].phase is Phase.SKIPPED or failed_for_good(facts, steps, fallback)
