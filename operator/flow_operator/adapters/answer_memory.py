"""How many bytes of answers are in memory at once, shared fairly between namespaces (semantics: Size).

1. Memory is given out in pieces of 64 KiB. A call has its first piece before it is sent, so a small answer can be read
   whatever others do.
2. A larger answer takes further pieces while it is read. When its namespace may have none, nothing more is read from
   the socket until it may: pieces that are given back go to the namespace that holds the fewest, before new calls.
3. One reader at a time may take pieces that are not there, so that readers never all wait for each other. So the total
   is exceeded by at most one answer.

What is counted is bodies. Until it is read, an answer is buffered as far as `sessions` and `guard` allow, for each
connection.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from flow_operator.engine.fairness import may_take

PIECE = 64 * 1024
DEFAULT_TOTAL = 128 * 1024 * 1024


class Room:
    """What one answer may be read into."""

    def __init__(self, memory: AnswerMemory, namespace: str) -> None:
        self._memory = memory
        self.namespace = namespace
        self.size = PIECE

    async def grow(self) -> None:
        """Wait for one more piece."""
        await self._memory.grow(self)


@dataclass(eq=False, slots=True)
class _Claim:
    room: Room
    granted: asyncio.Future[None]


class AnswerMemory:
    """So many bytes, in pieces; at least one piece."""

    def __init__(self, total: int = DEFAULT_TOTAL) -> None:
        self._free = max(total // PIECE, 1)
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, deque[_Claim]] = {}
        self._exempt: Room | None = None
        self._given_back: asyncio.Future[None] | None = None

    @property
    def taken(self) -> int:
        """Bytes that are reserved or read."""
        return self._held.total() * PIECE

    def try_reserve(self, namespace: str) -> bool:
        """Take the first piece of a call, if its namespace may have one now. Whoever reserves it releases it."""
        if not may_take(self._held[namespace], self._free):
            return False
        self._take(namespace)
        return True

    def release(self, namespace: str, size: int = PIECE) -> None:
        """Give so many bytes back."""
        pieces = size // PIECE
        self._free += pieces
        self._held[namespace] -= pieces
        if not self._held[namespace]:
            del self._held[namespace]
        self._grant_what_may_be()
        if self._given_back is not None:
            self._given_back.set_result(None)
            self._given_back = None

    @asynccontextmanager
    async def room(self, namespace: str, *, reserved: bool) -> AsyncIterator[Room]:
        """Room for one answer, given back at the end.

        Its first piece is waited for, unless the call has it already (`reserved`) and whoever reserved it releases it.
        """
        if not reserved:
            await self._reserve(namespace)
        room = Room(self, namespace)
        try:
            yield room
        finally:
            if self._exempt is room:
                self._exempt = None
            self.release(namespace, room.size - PIECE if reserved else room.size)

    async def grow(self, room: Room) -> None:
        """Wait for one more piece for this room."""
        if room is self._exempt or may_take(self._held[room.namespace], self._free):
            self._enlarge(room)
            return
        claim = _Claim(room, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(room.namespace, deque()).append(claim)
        self._grant_what_may_be()
        await claim.granted

    async def _reserve(self, namespace: str) -> None:
        while not self.try_reserve(namespace):
            if self._given_back is None:
                self._given_back = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._given_back,))

    def _grant_what_may_be(self) -> None:
        while self._waiting:
            namespace = min(self._waiting, key=lambda each: self._held[each])
            allowed = may_take(self._held[namespace], self._free)
            if not allowed and self._exempt is not None:
                return  # nor are those allowed that hold more
            claims = self._waiting[namespace]
            claim = claims.popleft()
            if not claims:
                del self._waiting[namespace]
            if claim.granted.done():
                continue  # it was given up
            if not allowed:
                self._exempt = claim.room
            self._enlarge(claim.room)
            claim.granted.set_result(None)

    def _enlarge(self, room: Room) -> None:
        self._take(room.namespace)
        room.size += PIECE

    def _take(self, namespace: str) -> None:
        self._held[namespace] += 1
        self._free -= 1
