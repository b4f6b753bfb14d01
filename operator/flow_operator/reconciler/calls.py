"""The calls of one run that are in flight, and the outcomes that are not recorded yet."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass

from flow_operator.engine.contract import Attempt, Outcome
from flow_operator.engine.messages.observation import NoAnswer, Observation
from flow_operator.reconciler.ports import Caller, Now, Slots, Ticket

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Call:
    """A call in flight, with the slot that it holds at its host."""

    task: asyncio.Task[None]
    ticket: Ticket


class Calls:
    """Sends each attempt once. Every call ends in an outcome, unless it is cut; either way its slot is given back."""

    def __init__(
        self,
        namespace: str,
        caller: Caller,
        slots: Slots,
        now: Now,
        wake: Callable[[], None],
        may_send: Callable[[], bool],
    ) -> None:
        """`wake` tells of an outcome."""
        self._namespace = namespace
        self._caller = caller
        self._slots = slots
        self._now = now
        self._wake = wake
        self._may_send = may_send
        self._calls: dict[str, Call] = {}
        self._outcomes: list[Outcome] = []

    @property
    def in_flight(self) -> Set[str]:
        """Ids of the attempts that are waited for."""
        return frozenset(self._calls)

    @property
    def has_outcomes(self) -> bool:
        """Calls have ended since the last look."""
        return bool(self._outcomes)

    @property
    def idle(self) -> bool:
        """Nothing is in flight, and every outcome was taken."""
        return not self._calls and not self._outcomes

    def take_outcomes(self) -> list[Outcome]:
        """What has ended since the last time."""
        taken, self._outcomes = self._outcomes, []
        return taken

    def send(self, attempt: Attempt, ticket: Ticket) -> None:
        """Begin the call in the slot of this ticket."""
        self._calls[attempt.id] = Call(asyncio.create_task(self._run(attempt)), ticket)

    def cut(self, ids: Iterable[str]) -> None:
        """Stop waiting for these: the status has closed them, their responses do not count any more."""
        for id in ids:
            if (call := self._calls.pop(id, None)) is not None:
                call.task.cancel()
                self._slots.give_back(call.ticket)

    def cut_all(self) -> None:
        """Stop waiting for any."""
        self.cut(tuple(self._calls))

    async def _run(self, attempt: Attempt) -> None:
        started = self._now()
        observation = await self._observe(attempt)
        if observation is not None:  # else the lease was lost meanwhile: whichever replica acts next sends it
            outcome = Outcome(attempt.id, attempt.step, attempt.direction, observation, started, self._now())
            self._outcomes.append(outcome)
        self._slots.give_back(self._calls.pop(attempt.id).ticket, observation)
        self._wake()

    async def _observe(self, attempt: Attempt) -> Observation | None:
        try:
            return await self._caller.call(attempt.request, self._may_send, namespace=self._namespace, reserved=True)
        except Exception:
            # A caller raises nothing. Should it ever, the service may still have been called: that is Unknown, and a
            # call that ended without an outcome would hold its run for good.
            log.exception("the call of step %s failed inside the operator", attempt.step)
            return NoAnswer("ConnectionLost", "the call failed inside the operator; its log says why")
