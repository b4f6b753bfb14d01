"""Slots for calls: what a call needs of this process before its intention may be stored.

A slot is one of so many calls in flight at a host, room for the response, and a circuit that lets the call through.
Slots are asked for and given back without waiting: a call that gets none has a ticket in the queue of its host, and its
run is woken when the ticket is granted. So a queue costs memory for tickets, and nothing else.

At each host the namespaces share the slots (`engine.fairness`): of those that may take one more, the namespace that
holds the fewest is served first, and within a namespace who came first. A host is a name and a port.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from yarl import URL

from flow_operator.adapters.circuits import Circuit
from flow_operator.engine.contract import Blocked
from flow_operator.engine.fairness import may_take
from flow_operator.engine.messages.observation import Denied, NotSent, Observation, Request

IDLE_HOSTS = 10_000
"""So many hosts may be remembered although nothing is in flight there and nothing waits."""


class Memory(Protocol):
    """Room for responses."""

    def try_reserve(self, namespace: str) -> bool:
        """Take what one call needs, if it is there."""
        ...

    def release(self, namespace: str) -> None:
        """Give that back."""
        ...


@dataclass(slots=True, eq=False)
class Host:
    """What is in flight at a host, and what waits."""

    name: str
    circuit: Circuit = field(default_factory=Circuit)
    held: Counter[str] = field(default_factory=Counter)
    """Slots by namespace."""
    waiting: OrderedDict[str, OrderedDict[int, "Ticket"]] = field(default_factory=OrderedDict)
    """Tickets by namespace, the first come first."""
    timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Nothing is in flight, and nothing waits."""
        return not self.held and not self.waiting


@dataclass(slots=True, eq=False)
class Ticket:
    """What one call has asked for at its host: a place in the queue, or once it is granted a slot."""

    namespace: str
    host: Host
    asked: datetime
    wake: Callable[[], None]
    eager: bool = False
    granted: bool = False
    trial: bool = False
    """It is the call that tries a host whose circuit is open."""

    @property
    def blocked(self) -> Blocked | None:
        """Why the call may not be sent now; None when it may."""
        if self.granted:
            return None
        opened = self.host.circuit.open_since
        if opened is None:
            return Blocked(self.asked)
        return Blocked(max(self.asked, opened), circuit=self.host.name)


class Slots:
    """All hosts that are being called, or waited for."""

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        per_host: int,
        per_namespace: int = 0,
        memory: Memory | None = None,
        circuits: bool = True,
    ) -> None:
        """`per_namespace` is how many of the `per_host` one namespace may hold; 0 for a share of what is free."""
        self._now = now
        self._per_host = per_host
        self._per_namespace = per_namespace
        self._memory = memory
        self._circuits = circuits
        self._hosts: OrderedDict[str, Host] = OrderedDict()
        self._no_room = False
        """There was no room for a response when one was asked for."""

    def __len__(self) -> int:
        """The number of hosts that are remembered."""
        return len(self._hosts)

    def open_circuits(self) -> Iterator[str]:
        """The hosts whose circuit is open."""
        return (host.name for host in self._hosts.values() if host.circuit.open_since is not None)

    def ask(self, namespace: str, request: Request, wake: Callable[[], None], *, eager: bool = False) -> Ticket:
        """A ticket, granted if a slot is free. If not, `wake` is called once it is, or its circuit has opened.

        `eager`: a person asks for this call, so it need not wait for the next trial of an open circuit.
        """
        host = self._host(_authority(request))
        ticket = Ticket(namespace, host, self._now(), wake, eager)
        host.waiting.setdefault(namespace, OrderedDict())[id(ticket)] = ticket
        self._serve(host, asking=ticket)
        return ticket

    def give_back(self, ticket: Ticket, seen: Observation | None = None) -> None:
        """The call is not made, or it has ended; `seen` says how, if it was made."""
        host = ticket.host
        if not ticket.granted:
            self._leave_queue(ticket)
            self._forget(host)
            return
        ticket.granted = False
        host.held[ticket.namespace] -= 1
        host.held += Counter()  # drops what is zero
        if self._memory is not None:
            self._memory.release(ticket.namespace)
        if ticket.trial:
            host.circuit.on_trial = False
        if self._circuits:
            self._note(host, seen)
        self._serve(host)
        self._serve_those_without_room()
        self._forget(host)

    def _serve_those_without_room(self) -> None:
        """There is room for a response again: serve the hosts at which there was none."""
        if self._no_room:
            self._no_room = False
            for host in [host for host in self._hosts.values() if host.waiting]:
                self._serve(host)

    def _note(self, host: Host, seen: Observation | None) -> None:
        """What a call has seen of its host."""
        if seen is None or isinstance(seen, Denied):
            return
        if not isinstance(seen, NotSent):
            host.circuit.reached()
        elif host.circuit.failed(_moment(), self._now()):
            for ticket in list(_tickets(host)):
                ticket.wake()  # from now on it waits for the circuit, which does not last for ever

    def _serve(self, host: Host, asking: Ticket | None = None) -> None:
        """Grant what can be granted; `asking` sees that for itself and is not woken."""
        while (ticket := self._next(host)) is not None:
            if self._memory is not None and not self._memory.try_reserve(ticket.namespace):
                self._no_room = True
                return
            self._leave_queue(ticket)
            host.held[ticket.namespace] += 1
            ticket.granted, ticket.trial = True, host.circuit.begin(_moment())
            if ticket is not asking:
                ticket.wake()
        self._try_later(host)

    def _next(self, host: Host) -> Ticket | None:
        """Who gets the next slot; None if no one does, for now."""
        free = self._per_host - host.held.total()
        may = [each for each in host.waiting if may_take(host.held[each], free, self._per_namespace)]
        moment = _moment()
        for namespace in sorted(may, key=lambda each: host.held[each]):
            ticket = next(iter(host.waiting[namespace].values()))
            if host.circuit.lets_through(moment, eager=False):
                return ticket
            if host.circuit.lets_through(moment, eager=True):
                ticket = next((each for each in host.waiting[namespace].values() if each.eager), ticket)
                if ticket.eager:
                    return ticket
        return None

    def _try_later(self, host: Host) -> None:
        """See to it that somebody tries when an open circuit is due for it."""
        circuit = host.circuit
        if circuit.open_since is None or circuit.on_trial or not host.waiting or host.timer is not None:
            return
        wait = max(0.0, circuit.next_trial - _moment())
        host.timer = asyncio.get_running_loop().call_later(wait, self._try, host)

    def _try(self, host: Host) -> None:
        host.timer = None
        self._serve(host)

    def _leave_queue(self, ticket: Ticket) -> None:
        queue = ticket.host.waiting.get(ticket.namespace)
        if queue is not None and queue.pop(id(ticket), None) is not None and not queue:
            del ticket.host.waiting[ticket.namespace]

    def _host(self, name: str) -> Host:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = Host(name)
        if len(self._hosts) > IDLE_HOSTS:
            oldest = next((each for each in self._hosts.values() if each.idle and each is not host), None)
            if oldest is not None:
                del self._hosts[oldest.name]
        return host

    def _forget(self, host: Host) -> None:
        """A host that is idle, and nothing is known against, takes no memory."""
        if host.idle and not host.circuit.failures and self._hosts.get(host.name) is host:
            del self._hosts[host.name]


def _tickets(host: Host) -> Iterator[Ticket]:
    for queue in host.waiting.values():
        yield from queue.values()


def _moment() -> float:
    return asyncio.get_running_loop().time()


def _authority(request: Request) -> str:
    """Name and port of the host; empty for a URL that will not be called."""
    try:
        url = URL(request.url)
    except ValueError:
        return ""
    return f"{url.raw_host or ''}:{url.port or ''}"
