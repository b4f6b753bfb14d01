"""Keeps the status of every Workflow and Step as it ought to be. Only who holds the lease of its shard does that.

What goes wrong with one definition holds up no other: after a failed write it waits by itself, longer each time, and a
namespace has one write in flight at most, however slowly it is answered.
"""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from flow_operator.engine.errors import ClusterError, Conflict, Forbidden, Gone, Refused, Unavailable
from flow_operator.reconciler.backoff import pause_after
from flow_operator.reconciler.definitions import Definitions, Known
from flow_operator.reconciler.ports import Cluster, Meter, Object
from flow_operator.reconciler.shards import Shards
from flow_operator.reconciler.versions import is_newer, version_of
from flow_operator.reconciler.write_results import write_result

log = logging.getLogger(__name__)

WRITES_IN_FLIGHT = 16
AWAY_SECONDS = (0.1, 5.0)
"""The first and the longest pause while the API server is away."""
REFUSED_SECONDS = (1.0, 60.0)
"""The same for a definition whose status is refused: it may be long until a person has mended that."""


class Key(NamedTuple):
    """Which definition."""

    plural: str
    namespace: str
    name: str


@dataclass(slots=True)
class Trouble:
    """A definition whose status could not be written."""

    failures: int = 0
    timer: asyncio.TimerHandle | None = None
    """Of the next attempt; None while that is due or under way."""


class DefinitionStatuses:
    """Judges what has changed, and writes what differs."""

    def __init__(self, definitions: Definitions, cluster: Cluster, meter: Meter, shards: Shards) -> None:
        self._definitions = definitions
        self._cluster = cluster
        self._meter = meter
        self._shards = shards
        self._due: dict[str, dict[Key, None]] = {}
        """By namespace, the one whose turn it is first."""
        self._writing: set[str] = set()
        """Namespaces of which a definition is being judged or written."""
        self._troubles: dict[Key, Trouble] = {}
        self._wakeup = asyncio.Event()

    def add(self, known: Known) -> None:
        """This definition is to be judged again, if that is for this process to do."""
        if not self._shards.is_acting(known.uid):
            return
        key = Key(known.plural, known.namespace, known.name)
        trouble = self._troubles.get(key)
        if trouble is not None and trouble.timer is not None:
            if known.judged is not None:
                return  # it would be the same write again
            trouble.timer.cancel()
        self._schedule(key)

    def add_all(self, shards: Collection[int]) -> None:
        """Every definition of these shards is to be judged."""
        for known in self._definitions:
            if self._shards.among(known.uid, shards):
                self.add(known)

    async def run(self) -> None:
        """Judge what is due, and then whatever changes, until cancelled."""
        async with asyncio.TaskGroup() as writers:
            while True:
                await self._wakeup.wait()
                self._wakeup.clear()
                while (key := self._next()) is not None:
                    self._writing.add(key.namespace)
                    writers.create_task(self._settle(key))
                    await asyncio.sleep(0)  # judging a thousand definitions in a row would hold up everything else

    def _schedule(self, key: Key) -> None:
        if (trouble := self._troubles.get(key)) is not None:
            trouble.timer = None
        self._due.setdefault(key.namespace, {})[key] = None
        self._wakeup.set()

    def _next(self) -> Key | None:
        """The definition to be judged now; None if there is none, or no room for it."""
        if len(self._writing) >= WRITES_IN_FLIGHT:
            return None
        namespace = next((each for each in self._due if each not in self._writing), None)
        if namespace is None:
            return None
        due = self._due.pop(namespace)
        key = next(iter(due))
        del due[key]
        if due:
            self._due[namespace] = due
        return key

    async def _settle(self, key: Key) -> None:
        """Judge and write one definition; if that fails, have it done again after a pause."""
        try:
            known = self._definitions.find(*key)
            if known is not None and self._shards.may_act(known.uid):
                await self._write(known)
            self._forgive(key)
        except Gone:
            self._forgive(key)  # the watch will say so
        except ClusterError as error:
            self._retry(key, error)
        except Exception as error:
            log.exception("the status of %s %s/%s: failed inside the operator", *key)
            self._retry(key, error)
        finally:
            self._writing.discard(key.namespace)
            self._wakeup.set()

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
        _keep(known, metadata, status)

    def _retry(self, key: Key, error: Exception) -> None:
        trouble = self._forgive(key) or Trouble()
        if isinstance(error, Refused | Forbidden) and not trouble.failures:
            log.error("the status of %s %s/%s is refused, and tried again now and then: %s", *key, error)
        first, longest = AWAY_SECONDS if _is_away(error) else REFUSED_SECONDS
        asked = error.retry_after if isinstance(error, Unavailable) else None
        pause = max(pause_after(trouble.failures, first, longest), asked or 0.0)
        trouble.failures += 1
        trouble.timer = asyncio.get_running_loop().call_later(pause, self._schedule, key)
        self._troubles[key] = trouble

    def _forgive(self, key: Key) -> Trouble | None:
        trouble = self._troubles.pop(key, None)
        if trouble is not None and trouble.timer is not None:
            trouble.timer.cancel()
        return trouble


def _keep(known: Known, metadata: Object, status: Object) -> None:
    if is_newer(version_of(metadata), known.version):  # else the watch was faster than the reply
        known.version, known.status = version_of(metadata), status


def _is_away(error: Exception) -> bool:
    return isinstance(error, Unavailable) and not isinstance(error, Forbidden)
