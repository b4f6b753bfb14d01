"""Looks up the names that are called, in threads that namespaces share fairly.

A look-up holds its thread until the name server answers or the system gives up, and no timeout of the operator shortens
that. So one namespace that calls many hosts whose name servers are silent could stop the calls of all the others.

1. A namespace starts one more look-up only while its share allows it (`engine.fairness`). The others wait, those of the
   namespace that holds the fewest threads first. A caller that gives up (the connect timeout) waits no more.
2. A name is looked up once for all callers that want it at the time, and is begun for whichever namespace may begin
   first: nobody waits in the line of another namespace. aiohttp's cache, in which they would, is switched off.
3. What was found is kept for a few seconds, and its addresses take turns.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter, deque
from dataclasses import dataclass, field

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from flow_operator.adapters.process import LOOKUPS_AT_ONCE
from flow_operator.adapters.progress import Progress, progress
from flow_operator.engine.fairness import may_take

KEEP_SECONDS = 10.0
KEPT_NAMES = 1000

_Key = tuple[str, int, socket.AddressFamily]


@dataclass(eq=False, slots=True)
class _Lookup:
    """A name that is wanted and not known."""

    key: _Key
    answer: asyncio.Future[list[ResolveResult]]
    wanted_by: Counter[str] = field(default_factory=Counter)
    """How many callers of each namespace wait for it."""
    begun: bool = False


class Lookups(AbstractResolver):
    """Asks another resolver, at most so many names at once. The namespace that asks is that of the call's progress."""

    def __init__(
        self,
        resolver: AbstractResolver | None = None,
        *,
        at_once: int = LOOKUPS_AT_ONCE,
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        """To be called in the event loop. Without a resolver, names are looked up as the machine does it."""
        self._resolver = resolver or aiohttp.ThreadedResolver()
        self._free = at_once
        self._held: Counter[str] = Counter()
        self._lookups: dict[_Key, _Lookup] = {}
        self._waiting: dict[str, dict[_Key, _Lookup]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._found = _Found(keep_seconds)

    @property
    def waiting(self) -> int:
        """Names that wait for a thread."""
        return sum(not lookup.begun for lookup in self._lookups.values())

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of the host; OSError if there are none."""
        key = (host, port, family)
        if (known := self._found.get(key)) is not None:
            return known
        namespace = (progress.get(None) or Progress()).namespace
        lookup = self._want(key, namespace)
        self._begin_what_may_begin()
        try:
            await asyncio.wait((lookup.answer,))
        finally:
            self._leave(lookup, namespace)
        return lookup.answer.result()

    async def close(self) -> None:
        """Stop all look-ups, as far as they can be stopped."""
        for task in self._tasks:
            task.cancel()
        await self._resolver.close()

    def _want(self, key: _Key, namespace: str) -> _Lookup:
        lookup = self._lookups.get(key)
        if lookup is None:
            lookup = self._lookups[key] = _Lookup(key, asyncio.get_running_loop().create_future())
        lookup.wanted_by[namespace] += 1
        if not lookup.begun:
            self._waiting.setdefault(namespace, {})[key] = lookup
        return lookup

    def _leave(self, lookup: _Lookup, namespace: str) -> None:
        """One caller wants it no more; a look-up that has not begun is forgotten with the last of them."""
        lookup.wanted_by[namespace] -= 1
        if lookup.begun or lookup.wanted_by[namespace]:
            return
        del lookup.wanted_by[namespace]
        self._stop_waiting(lookup, namespace)
        if not lookup.wanted_by:
            del self._lookups[lookup.key]

    def _stop_waiting(self, lookup: _Lookup, namespace: str) -> None:
        names = self._waiting[namespace]
        del names[lookup.key]
        if not names:
            del self._waiting[namespace]

    def _begin_what_may_begin(self) -> None:
        while self._waiting:
            namespace = min(self._waiting, key=lambda each: self._held[each])
            if not may_take(self._held[namespace], self._free):
                return  # nor may those that hold more
            self._begin(next(iter(self._waiting[namespace].values())), namespace)

    def _begin(self, lookup: _Lookup, namespace: str) -> None:
        lookup.begun = True
        for each in lookup.wanted_by:
            self._stop_waiting(lookup, each)
        self._held[namespace] += 1
        self._free -= 1
        task = asyncio.create_task(self._look_up(lookup, namespace))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_up(self, lookup: _Lookup, namespace: str) -> None:
        try:
            found = await self._resolver.resolve(*lookup.key)
        except asyncio.CancelledError:
            lookup.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 it is the callers', whatever it is
            lookup.answer.set_exception(error)
            lookup.answer.exception()  # perhaps all of them have given up
        else:
            self._found.keep(lookup.key, found)
            lookup.answer.set_result(found)
        del self._lookups[lookup.key]
        self._free += 1
        self._held[namespace] -= 1
        if not self._held[namespace]:
            del self._held[namespace]
        self._begin_what_may_begin()


class _Found:
    """What names were found to be, for a few seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._addresses: dict[_Key, tuple[float, deque[ResolveResult]]] = {}

    def get(self, key: _Key) -> list[ResolveResult] | None:
        """The addresses, each time another one first; None if they are not known any more."""
        if (found := self._addresses.get(key)) is None:
            return None
        until, addresses = found
        if asyncio.get_running_loop().time() >= until:
            del self._addresses[key]
            return None
        addresses.rotate(-1)
        return list(addresses)

    def keep(self, key: _Key, addresses: list[ResolveResult]) -> None:
        """Remember them; the oldest are forgotten when there are many."""
        self._addresses.pop(key, None)
        if len(self._addresses) >= KEPT_NAMES:
            del self._addresses[next(iter(self._addresses))]
        self._addresses[key] = (asyncio.get_running_loop().time() + self._seconds, deque(addresses))
