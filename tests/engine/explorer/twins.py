"""Looks for states that the walk takes for one place although something tells them apart.

Twins are a state and the first one at the same place: the walk goes on from the first alone. Here both are followed:
the same must be able to happen to them, the same must be sent and told, the same invariants must hold, and they must
come to the same places. Then both are followed further, one move after the other, so that also their offspring, which
no walk sees, is compared.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.engine.explorer.change import Change
from tests.engine.explorer.moves import Move
from tests.engine.explorer.states import Place, State, key, renamed
from tests.engine.explorer.walk import Walk


@dataclass
class Twins(Walk):
    """A walk that remembers its states, and which of them it took for which."""

    firsts: list[State] = field(default_factory=list)
    """The first state at each place."""
    pairs: list[tuple[State, State]] = field(default_factory=list)
    """A state, and the first one at its place."""

    def _reach(self, state: State, index: int, move: Move) -> int:
        reached = super()._reach(state, index, move)
        if reached == len(self.firsts):
            self.firsts.append(state)
        else:
            self.pairs.append((state, self.firsts[reached]))
        return reached

    def orbits(self) -> set[frozenset[Place]]:
        """The places of the walk, each with all that it is called when interchangeable steps change names."""
        found = set()
        for state in self.firsts:
            *run, steps = key(state, self.facts)
            found.add(frozenset((*run, names) for names in [steps, *renamed(steps, self.symmetries)]))
        return found

    def told_apart(self, length: int) -> str | None:
        """What tells two twins apart, within so many moves; None when nothing does."""
        choose = Random(length)
        for one, other in self.pairs:
            for _ in range(length):
                ways, others = self._ways(one), self._ways(other)
                if difference := self._difference(ways, others):
                    return difference
                move = choose.choice(sorted(ways))
                one, other = ways[move].after, others[move].after
        return None

    def _ways(self, state: State) -> dict[str, Change]:
        ways = {}
        for move in self._moves(state):
            self.edges += 1
            ways[move.text] = self._after(state, move)
        return ways

    def _difference(self, one: dict[str, Change], other: dict[str, Change]) -> str | None:
        if one.keys() != other.keys():
            return f"only to one of them can happen: {', '.join(sorted(one.keys() ^ other.keys()))}"
        for move, change in one.items():
            saw, seen = self._seen(change), self._seen(other[move])
            if saw != seen:
                return f"{move} leads to {saw} or to {seen}"
        return None

    def _seen(self, change: Change) -> tuple[Any, ...]:
        """What anybody can see of a change, and where it leads."""
        after, plan = change.after, change.plan
        sent = sorted((attempt.step, attempt.direction.value) for attempt in change.attempts)
        told = (len(plan.cut), plan.urgent, sorted(event.reason for event in plan.events)) if plan else ()
        wake = after.wake_at and after.wake_at - after.now
        violated = [invariant.__name__ for invariant in self.invariants if not invariant(change)]
        return sent, told, wake, violated, self._places.of(after)
