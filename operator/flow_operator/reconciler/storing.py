"""Reading and writing one run: compare and swap, and what to do when that fails.

Every method returns only when it is certain how the run stands, or raises. The API server being away is waited out;
answers that come meanwhile stay in memory.
"""

import asyncio
from enum import Enum

from flow_operator.engine.contract import Unresolved
from flow_operator.engine.definition import Definition
from flow_operator.engine.errors import ClusterError, Conflict, Gone, NotNow, Unavailable
from flow_operator.reconciler.backoff import Backoff
from flow_operator.reconciler.commands import removal
from flow_operator.reconciler.entry import Entry
from flow_operator.reconciler.held import Held
from flow_operator.reconciler.ports import RUNS, Object
from flow_operator.reconciler.shell import Shell
from flow_operator.reconciler.versions import version_of
from flow_operator.reconciler.write_results import write_result


class Deleted(Exception):
    """The run is gone, and with it all that was to be done for it."""


class Demoted(Exception):
    """The lease is lost: another process acts for this run."""


class Written(Enum):
    """Whether a status was written."""

    YES = "yes"
    NO = "no"
    PERHAPS = "perhaps"


class Storage:
    """One run in the API server."""

    def __init__(self, entry: Entry, held: Held, shell: Shell) -> None:
        self._entry = entry
        self._held = held
        self._shell = shell
        self._backoff = Backoff()
        self._conflicts = 0

    async def write(self, document: Object) -> Written:
        """Write the status. Unless that is known to have been done, the run was read anew, or it is worth a new try."""
        entry, meter = self._entry, self._shell.meter
        try:
            async with self._shell.writes:
                if not self._shell.shards.may_act(entry.uid):
                    raise Demoted
                metadata = await self._shell.cluster.write_status(
                    RUNS, entry.namespace, entry.name, entry.uid, entry.version, document
                )
        except ClusterError as error:
            meter.status_write(write_result(error))
            return await self._not_written(error)
        meter.status_write("stored")
        self._backoff.reset()
        self._conflicts = 0
        entry.version = version_of(metadata)
        return Written.YES

    async def read(self) -> None:
        """Start from what the API server says, as soon as it says anything."""
        entry, backoff = self._entry, Backoff()
        while True:
            try:
                body = await self._shell.cluster.read(RUNS, entry.namespace, entry.name)
                break
            except Gone:
                raise Deleted from None
            except ClusterError as error:
                await self._pause(backoff, error)
        if body["metadata"].get("uid") != entry.uid:
            raise Deleted
        entry.take(body)
        self._held.adopt()

    async def pin(self, definition: Definition) -> bool:
        """See to it that the revision exists; False if that is not known, after a pause."""
        try:
            await self._shell.revisions.ensure(self._entry.namespace, definition)
        except Gone:
            raise Deleted from None  # there is no such namespace any more
        except Unavailable as error:
            await self.pause(error)
            return False
        return True

    async def definition(self, revision: str) -> Definition | Unresolved:
        """The definition that the run is pinned to."""
        while True:
            try:
                return await self._shell.revisions.load(self._entry.namespace, revision)
            except Unavailable as error:
                await self.pause(error)

    async def acknowledge(self) -> None:
        """Take the annotations of a command off now that the status knows it; never those of a newer one."""
        entry = self._entry
        try:
            metadata = await self._shell.cluster.patch(RUNS, entry.namespace, entry.name, removal(entry.version))
        except Conflict:
            await self.read()
        except Gone:
            raise Deleted from None
        except Unavailable as error:
            await self.pause(error)
        else:
            entry.version = version_of(metadata)
            entry.command = None

    async def pause(self, error: ClusterError | None = None) -> None:
        """Wait before the next try, longer each time until a write succeeds."""
        await self._pause(self._backoff, error)

    async def _pause(self, backoff: Backoff, error: ClusterError | None) -> None:
        if error is not None:
            self._shell.complaints.hear(self._entry.key, error)
        await asyncio.sleep(backoff.pause(error.retry_after if isinstance(error, Unavailable) else None))

    async def _not_written(self, error: ClusterError) -> Written:
        match error:
            case Conflict():
                if self._conflicts:  # once is somebody else's write; again and again is something else
                    await self.pause(error)
                self._conflicts += 1
                await self.read()
            case NotNow():
                await self.pause(error)
            case Unavailable():
                self._shell.complaints.hear(self._entry.key, error)
                await self.read()
                return Written.PERHAPS
            case Gone():
                raise Deleted from None
            case _:
                raise error
        return Written.NO
