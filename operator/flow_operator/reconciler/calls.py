"""The calls of one run that are in flight, and the answers that nobody has looked at yet."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Set

from flow_operator.engine.contract import Attempt, Outcome
from flow_operator.engine.observation import NoAnswer
from flow_operator.reconciler.ports import Caller, Now

log = logging.getLogger(__name__)


class Calls:
    """Sends each attempt once. Whatever comes of it becomes an outcome, unless it is cut."""

    def __init__(self, caller: Caller, now: Now, ring: Callable[[], None]) -> None:
        self._caller = caller
        self._now = now
        self._ring = ring
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._outcomes: list[Outcome] = []

    @property
    def in_flight(self) -> Set[str]:
        """Ids of the attempts that are waited for."""
        return frozenset(self._tasks)

    @property
    def quiet(self) -> bool:
        """No answer waits to be taken."""
        return not self._outcomes

    @property
    def idle(self) -> bool:
        """Nothing is waited for, and every answer was taken."""
        return not self._tasks and not self._outcomes

    def take_outcomes(self) -> list[Outcome]:
        """The answers that came since the last time."""
        taken, self._outcomes = self._outcomes, []
        return taken

    def send(self, attempt: Attempt) -> None:
        """Begin the call; its outcome rings the bell."""
        self._tasks[attempt.id] = asyncio.create_task(self._call(attempt))

    def cut(self, ids: Iterable[str]) -> None:
        """Stop waiting for these: the status has closed them, their answers do not count any more."""
        for id in ids:
            if (task := self._tasks.pop(id, None)) is not None:
                task.cancel()

    def cut_all(self) -> None:
        """Stop waiting for any."""
        self.cut(tuple(self._tasks))

    async def _call(self, attempt: Attempt) -> None:
        started = self._now()
        try:
            observation = await self._caller.call(attempt.request)
        except Exception:
            # A caller raises nothing. Should it ever, the service may still have been called: that is Unknown, and a
            # call that ended without an outcome would hold its run for good.
            log.exception("the call of step %s failed inside the operator", attempt.step)
            observation = NoAnswer("ConnectionLost", "the call failed inside the operator; its log says why")
        outcome = Outcome(attempt.id, attempt.step, attempt.direction, observation, started, self._now())
        del self._tasks[attempt.id]
        self._outcomes.append(outcome)
        self._ring()
