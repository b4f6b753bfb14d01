"""What a run has reserved at the hosts that it calls, before anything about the calls is stored.

Tickets live in the entry of the run, not in its task: a run that only queues has none. Whatever is not needed any more
is given back after each plan, and everything when the run makes no progress.
"""

from collections.abc import Callable, Collection, Iterable

from flow_operator.engine.contract import Attempt, Blocked, CallId
from flow_operator.reconciler.entry import Entry
from flow_operator.reconciler.ports import Slots, Ticket


class Reservations:
    """The tickets of one run."""

    def __init__(self, entry: Entry, slots: Slots, wake: Callable[[], None]) -> None:
        """`wake` tells that a ticket was granted, or that it waits for a circuit from now on."""
        self._entry = entry
        self._slots = slots
        self._wake = wake

    def blocked(self) -> dict[CallId, Blocked]:
        """Calls that have asked for a slot and have none."""
        tickets = self._entry.tickets.items()
        return {call: blocked for call, ticket in tickets if (blocked := ticket.blocked) is not None}

    def reserve(self, attempts: Iterable[Attempt], *, eager: bool) -> dict[CallId, Blocked]:
        """Ask for what these attempts need; those that did not get it, and why."""
        entry, lacking = self._entry, {}
        for attempt in attempts:
            call = (attempt.step, attempt.direction)
            ticket = entry.tickets.get(call)
            if ticket is None:
                ticket = self._slots.ask(entry.namespace, attempt.request, self._wake, eager=eager)
                entry.tickets[call] = ticket
            if ticket.blocked is not None:
                lacking[call] = ticket.blocked
        return lacking

    def keep_only(self, calls: Collection[CallId]) -> None:
        """Give back what is needed by none of these."""
        for call in [call for call in self._entry.tickets if call not in calls]:
            self._slots.give_back(self._entry.tickets.pop(call))

    def take(self, attempt: Attempt) -> Ticket:
        """The slot of an attempt that is sent now; the call gives it back when it ends."""
        return self._entry.tickets.pop((attempt.step, attempt.direction))

    def give_back_granted(self) -> None:
        """What was granted is of no use for now; the rest goes on queueing."""
        self.keep_only([call for call, ticket in self._entry.tickets.items() if not ticket.granted])
