"""Keeps the status of every Workflow and Step as it ought to be. Only who holds the lease of its shard does that."""

import asyncio
import logging
from collections.abc import Collection

from flow_operator.engine.errors import ClusterError, Conflict, Gone, Refused, Unavailable
from flow_operator.reconciler.backoff import Backoff
from flow_operator.reconciler.definitions import Definitions, Known
from flow_operator.reconciler.ports import Cluster, Meter
from flow_operator.reconciler.shards import Shards
from flow_operator.reconciler.storing import write_result
from flow_operator.reconciler.versions import is_newer, version_of

log = logging.getLogger(__name__)


class DefinitionStatuses:
    """One task that judges what has changed and writes what differs."""

    def __init__(self, definitions: Definitions, cluster: Cluster, meter: Meter, shards: Shards) -> None:
        self._definitions = definitions
        self._cluster = cluster
        self._meter = meter
        self._shards = shards
        self._due: dict[tuple[str, str, str], None] = {}
        self._bell = asyncio.Event()
        self._backoff = Backoff()

    def add(self, known: Known) -> None:
        """This definition is to be judged again, if that is for this process to do."""
        if self._shards.is_acting(known.uid):
            self._due[known.plural, known.namespace, known.name] = None
            self._bell.set()

    def add_all(self, shards: Collection[int]) -> None:
        """Every definition of these shards is to be judged."""
        for known in self._definitions:
            if self._shards.among(known.uid, shards):
                self.add(known)

    async def run(self) -> None:
        """Judge what is due, and then whatever changes, until cancelled."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._due:
                key = next(iter(self._due))
                del self._due[key]
                await self._settle(*key)
                await asyncio.sleep(0)  # judging a thousand definitions in a row would hold up everything else

    async def _settle(self, plural: str, namespace: str, name: str) -> None:
        known = self._definitions.find(plural, namespace, name)
        if known is None or not self._shards.may_act(known.uid):
            return
        try:
            await self._write(known)
            self._backoff.reset()
        except Gone:
            pass  # the watch will say so
        except Refused as error:
            log.error("the status of %s %s/%s cannot be written: %s", plural, namespace, name, error)
        except Unavailable as error:
            self.add(known)
            await asyncio.sleep(self._backoff.pause(error.retry_after))

    async def _write(self, known: Known) -> None:
        status = self._definitions.judge(known).document()
        if status == known.status:
            return
        plural, namespace, name = known.plural, known.namespace, known.name
        try:
            metadata = await self._cluster.write_status(plural, namespace, name, known.uid, known.version, status)
        except Conflict as error:
            self._meter.status_write(write_result(error))
            self._definitions.observe(plural, await self._cluster.read(plural, namespace, name))
            self.add(known)
            return
        except ClusterError as error:
            self._meter.status_write(write_result(error))
            raise
        self._meter.status_write("stored")
        if is_newer(version_of(metadata), known.version):  # else the watch was faster than the reply
            known.version, known.status = version_of(metadata), status
