"""The calls of one run that are in flight, and the answers that nobody has looked at yet."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Set

from flow_operator.engine.contract import Attempt, Outcome
from flow_operator.engine.observation import NoAnswer
from flow_operator.reconciler.ports import Caller, Now

log = logging.getLogger(__name__)


class Calls:
    """Sends each attempt once, when there is a place at its host. What comes of it is an outcome, unless it is cut."""

    def __init__(
        self,
        caller: Caller,
        now: Now,
        ring: Callable[[], None],
        moved: Callable[[], None],
        may_send: Callable[[], bool],
    ) -> None:
        """`ring` tells of an outcome, `moved` that `stands_in_line` may have changed."""
        self._caller = caller
        self._now = now
        self._ring = ring
        self._moved = moved
        self._may_send = may_send
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._in_line: set[str] = set()
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

    @property
    def stands_in_line(self) -> bool:
        """All that is waited for are places at hosts."""
        return bool(self._in_line) and len(self._in_line) == len(self._tasks)

    def take_outcomes(self) -> list[Outcome]:
        """The answers that came since the last time."""
        taken, self._outcomes = self._outcomes, []
        return taken

    def send(self, attempt: Attempt) -> None:
        """Begin the call; its outcome rings the bell."""
        self._in_line.add(attempt.id)
        self._tasks[attempt.id] = asyncio.create_task(self._call(attempt))
        asyncio.get_running_loop().call_soon(self._moved)  # by then the task has got its place, if there was one

    def cut(self, ids: Iterable[str]) -> None:
        """Stop waiting for these: the status has closed them, their answers do not count any more."""
        for id in ids:
            if (task := self._tasks.pop(id, None)) is not None:
                self._in_line.discard(id)
                task.cancel()
        self._moved()

    def cut_those_in_line(self) -> None:
        """Stop waiting for places: what was not sent will be sent by another."""
        self.cut(tuple(self._in_line))

    def cut_all(self) -> None:
        """Stop waiting for any."""
        self.cut(tuple(self._tasks))

    async def _call(self, attempt: Attempt) -> None:
        async with self._caller.place(attempt.request):
            self._in_line.discard(attempt.id)
            self._moved()
            await self._send(attempt)
        del self._tasks[attempt.id]
        self._ring()

    async def _send(self, attempt: Attempt) -> None:
        started = self._now()
        try:
            observation = await self._caller.call(attempt.request, self._may_send)
        except Exception:
            # A caller raises nothing. Should it ever, the service may still have been called: that is Unknown, and a
            # call that ended without an outcome would hold its run for good.
            log.exception("the call of step %s failed inside the operator", attempt.step)
            observation = NoAnswer("ConnectionLost", "the call failed inside the operator; its log says why")
        if observation is not None:  # else the lease was lost meanwhile: whoever acts next sends it
            outcome = Outcome(attempt.id, attempt.step, attempt.direction, observation, started, self._now())
            self._outcomes.append(outcome)
