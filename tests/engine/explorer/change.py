"""One step of the walk: what an invariant looks at."""

from dataclasses import dataclass
from functools import cached_property

from tests.engine.explorer.moves import Move
from tests.engine.explorer.reading import Facts, calls_of
from tests.engine.explorer.states import State

from flow_operator.api.status import CallStatus, Direction
from flow_operator.engine.contract import Attempt, Plan


@dataclass(frozen=True)
class Change:
    """A state, what happened in it, and the state after. `plan` is there when the operator looked."""

    facts: Facts
    move: Move
    before: State
    after: State
    plan: Plan | None = None

    @cached_property
    def calls(self) -> list[tuple[str, Direction, CallStatus | None, CallStatus]]:
        """The calls that changed, before (None when there was none) and after."""
        before, after = self.before.status, self.after.status
        if before is after:
            return []
        old = {(id, direction): call for id, direction, call in calls_of(before)}
        found = []
        for id, direction, call in calls_of(after):
            was = old.get((id, direction))
            if was is not call:
                found.append((id, direction, was, call))
        return found

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What is sent."""
        return self.plan.attempts if self.plan else ()
