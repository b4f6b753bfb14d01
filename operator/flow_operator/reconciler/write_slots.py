"""How many writes are in flight at the API server, shared fairly between namespaces.

With one queue for all, a namespace whose writes are refused or slow would stand before those of everybody else.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from contextlib import AbstractAsyncContextManager
from typing import Self

from flow_operator.engine.fairness import may_take


class WriteSlots:
    """So many at once. Of the namespaces that may have one more, the one that holds the fewest is served first."""

    def __init__(self, total: int) -> None:
        self._free = total
        self._held: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def hold(self, namespace: str) -> AbstractAsyncContextManager[object]:
        """Wait for a slot, and hold it."""
        return _Hold(self, namespace)

    async def take(self, namespace: str) -> None:
        """Wait for a slot."""
        if namespace not in self._waiting and may_take(self._held[namespace], self._free):
            self._grant(namespace)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(namespace, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(namespace)  # it was granted in the very moment in which it was given up
            raise

    def give_back(self, namespace: str) -> None:
        """Let another have it."""
        self._free += 1
        self._held[namespace] -= 1
        self._held += Counter()  # drops what is zero
        while (waiting := self._next()) is not None:
            self._grant(waiting)
            self._waiting[waiting].popleft().set_result(None)
            self._drop_if_empty(waiting)

    def _next(self) -> str | None:
        """The namespace that gets the next slot, if one is free for any."""
        for namespace in sorted(self._waiting, key=lambda each: self._held[each]):
            turns = self._waiting[namespace]
            while turns and turns[0].cancelled():
                turns.popleft()
            if self._drop_if_empty(namespace):
                continue
            if may_take(self._held[namespace], self._free):
                return namespace
        return None

    def _grant(self, namespace: str) -> None:
        self._free -= 1
        self._held[namespace] += 1

    def _drop_if_empty(self, namespace: str) -> bool:
        if self._waiting[namespace]:
            return False
        del self._waiting[namespace]
        return True


class _Hold(AbstractAsyncContextManager[object]):
    def __init__(self, slots: WriteSlots, namespace: str) -> None:
        self._slots = slots
        self._namespace = namespace

    async def __aenter__(self) -> Self:
        await self._slots.take(self._namespace)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._slots.give_back(self._namespace)
