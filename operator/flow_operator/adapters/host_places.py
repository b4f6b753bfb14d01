"""Places for calls in flight, so many per host: a slow host fills its own places and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class HostPlaces:
    """A first-come queue per host; a host that nobody calls takes no memory."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._queues: dict[str, asyncio.Semaphore] = {}
        self._interested: dict[str, int] = {}

    @asynccontextmanager
    async def at(self, host: str) -> AsyncIterator[None]:
        """Wait for a place at the host, without limit of time, and hold it."""
        queue = self._queues.setdefault(host, asyncio.Semaphore(self._per_host))
        self._interested[host] = self._interested.get(host, 0) + 1
        try:
            async with queue:
                yield
        finally:
            self._interested[host] -= 1
            if self._interested[host] == 0:
                del self._interested[host], self._queues[host]

    def __len__(self) -> int:
        """The number of hosts that are being called or waited for."""
        return len(self._queues)
