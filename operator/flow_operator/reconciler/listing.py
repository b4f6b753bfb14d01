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
        backoff = Backoff(longest=10.0)
        for plural in (STEPS, WORKFLOWS, RUNS):
            while True:
                try:
                    async for page in self._cluster.pages(plural, metadata_only=False):
                        for body in page:
                            self._caches[plural].observe(body)
                    break
                except ClusterError as error:
                    log.warning("%s cannot be listed: %s", plural, error)
                    asked = error.retry_after if isinstance(error, Unavailable) else None
                    await asyncio.sleep(backoff.pause(asked))

    async def run(self) -> None:
        """List again every few minutes, and soon after a watch has begun, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(PERIOD_SECONDS * random.uniform(0.8, 1.2)):
                    await self._soon.wait()
                await asyncio.sleep(SOON_SECONDS)
            except TimeoutError:
                pass
            self._soon.clear()
            for plural in (STEPS, WORKFLOWS, RUNS):
                try:
                    await self.compare(plural)
                except ClusterError as error:
                    log.warning("%s cannot be listed: %s", plural, error)
            self._look_for_revisions()

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

    async def _read(self, plural: str, namespace: str, name: str) -> None:
        with suppress(Gone):  # the watch, or the next list, will say so
            self._caches[plural].observe(await self._cluster.read(plural, namespace, name))
