"""Compares the caches with a list of everything, now and then.

A watch tells what happens while it stands. What was deleted while it did not, nobody tells; and a list tells that only
by what is not in it.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from contextlib import suppress

from flow_operator.engine.errors import ClusterError, Gone, Unavailable
from flow_operator.reconciler.backoff import Backoff
from flow_operator.reconciler.ports import RUNS, STEPS, WORKFLOWS, Cache, Cluster

log = logging.getLogger(__name__)

PERIOD_SECONDS = 300.0
SOON_SECONDS = 1.0
"""After a watch has begun, perhaps anew; several begin at once."""
LONGEST_SECONDS = 10.0
"""Between lists that fail."""


class Listing:
    """Lists the three kinds: whole objects at the start, metadata only from then on."""

    def __init__(self, cluster: Cluster, caches: Mapping[str, Cache], look_for_revisions: Callable[[], None]) -> None:
        self._cluster = cluster
        self._caches = caches
        self._look_for_revisions = look_for_revisions
        self._soon = asyncio.Event()

    def soon(self) -> None:
        """A watch has begun: something may have been missed before."""
        self._soon.set()

    async def fill(self) -> None:
        """List everything for the first time, definitions before the runs that need them; until it succeeds."""
        backoff = Backoff(longest=LONGEST_SECONDS)
        for plural in (STEPS, WORKFLOWS, RUNS):
            while True:
                try:
                    async for page in self._cluster.pages(plural, metadata_only=False):
                        for body in page:
                            self._caches[plural].observe(body)
                    break
                except ClusterError as error:
                    log.warning("%s cannot be listed: %s", plural, error)
                    await asyncio.sleep(backoff.pause(_asked(error)))

    async def run(self) -> None:
        """List again every few minutes, soon after a watch has begun, and until it succeeds; until cancelled."""
        backoff = Backoff(longest=LONGEST_SECONDS)
        pause: float | None = None
        while True:
            try:
                async with asyncio.timeout(pause or PERIOD_SECONDS * random.uniform(0.8, 1.2)):
                    await self._soon.wait()
                await asyncio.sleep(SOON_SECONDS)
            except TimeoutError:
                pass
            self._soon.clear()
            errors = [error for plural in (STEPS, WORKFLOWS, RUNS) if (error := await self._compared(plural))]
            self._look_for_revisions()
            if errors:
                pause = backoff.pause(max(map(_asked, errors)))
            else:
                backoff.reset()
                pause = None

    async def compare(self, plural: str) -> None:
        """Take in what the watch has missed. What was unknown before the list and is not in it is no deletion."""
        absent = self._caches[plural].uids()
        async for page in self._cluster.pages(plural, metadata_only=True):
            for item in page:
                metadata = item["metadata"]
                absent.pop((metadata["namespace"], metadata["name"]), None)
                if self._caches[plural].is_news(metadata):
                    await self._read(plural, metadata["namespace"], metadata["name"])
        for (namespace, name), uid in absent.items():
            self._caches[plural].forget(namespace, name, uid)

    async def _compared(self, plural: str) -> ClusterError | None:
        """Compare, and say why that was not possible: nobody else tells what was missed."""
        try:
            await self.compare(plural)
        except ClusterError as error:
            log.warning("%s cannot be listed: %s", plural, error)
            return error
        return None

    async def _read(self, plural: str, namespace: str, name: str) -> None:
        with suppress(Gone):  # the watch, or the next list, will say so
            self._caches[plural].observe(await self._cluster.read(plural, namespace, name))


def _asked(error: ClusterError) -> float:
    """How many seconds the API server asked to wait."""
    return (error.retry_after if isinstance(error, Unavailable) else None) or 0.0
