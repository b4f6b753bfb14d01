"""Reading and writing one run: compare and swap, and what to do when that fails.

Every method returns only when it is certain how the run stands, or raises. What fails for a while is waited out, but
not for ever: a run that cannot be brought on, and of which nothing is in flight, rests as an entry until later.
"""

import asyncio
from collections.abc import Callable

from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.errors import ClusterError, Gone, Next, disposition
from flow_operator.reconciler.backoff import Backoff
from flow_operator.reconciler.commands import removal
from flow_operator.reconciler.entry import Entry
from flow_operator.reconciler.ports import RUNS, Object
from flow_operator.reconciler.run_state import RunState
from flow_operator.reconciler.shell import Shell
from flow_operator.reconciler.versions import version_of

FAILURES_BEFORE_REST = 3
"""So many failures in a row are waited out by a run that is awake; one is enough for a run that has rested already."""


class Deleted(Exception):
    """The run is gone, and with it all that was to be done for it."""


class Demoted(Exception):
    """The lease is lost: another process acts for this run."""


class Rest(Exception):
    """The API server does not take what the run has to store, so it is to be looked at again much later."""

    def __init__(self, error: ClusterError) -> None:
        super().__init__(str(error))
        self.error = error


class Storage:
    """One run in the API server."""

    def __init__(self, entry: Entry, state: RunState, shell: Shell, may_rest: Callable[[], bool]) -> None:
        """`may_rest` tells whether nothing of the run is in flight."""
        self._entry = entry
        self._state = state
        self._shell = shell
        self._may_rest = may_rest
        self._backoff = Backoff()
        self._failures = 0

    async def write(self, document: Object) -> ClusterError | None:
        """Write the status; the error if that failed. After that call `recover`."""
        entry, meter = self._entry, self._shell.meter
        try:
            async with self._shell.writes.hold(entry.namespace):
                if not self._shell.shards.may_act(entry.uid):
                    raise Demoted
                metadata = await self._shell.cluster.write_status(
                    RUNS, entry.namespace, entry.name, entry.uid, entry.version, document
                )
        except ClusterError as error:
            meter.status_write(disposition(error).result)
            return error
        meter.status_write("stored")
        self._succeeded()
        entry.version = version_of(metadata)
        return None

    async def recover(self, error: ClusterError) -> None:
        """Learn how the run stands after a write that failed, or wait until it is worth another."""
        match disposition(error).next:
            case Next.FORGET:
                raise Deleted from None
            case Next.READ:
                if self._failures:  # once is somebody else's write; again and again is something else
                    await self.pause(error)
                else:
                    self._failures = 1
                await self._read()
            case Next.CHECK:
                self._shell.complaints.hear(self._entry.key, error)
                await self._read()
            case Next.RETRY:
                await self.pause(error)

    async def pin(self, definition: Definition) -> bool:
        """See to it that the revision exists; False if that is not known, after a pause."""
        try:
            await self._shell.revisions.ensure(self._entry.namespace, definition)
        except Gone:
            raise Deleted from None  # there is no such namespace any more
        except ClusterError as error:
            await self.pause(error)
            return False
        return True

    async def definition(self, revision: str) -> Definition | Unresolved:
        """The definition that the run is pinned to."""
        while True:
            try:
                return await self._shell.revisions.load(self._entry.namespace, revision)
            except ClusterError as error:
                await self.pause(error)

    async def acknowledge(self) -> None:
        """Take the annotations of a command off now that the status knows it; never those of a newer one."""
        entry = self._entry
        try:
            metadata = await self._shell.cluster.patch(RUNS, entry.namespace, entry.name, removal(entry.version))
        except ClusterError as error:
            await self.recover(error)
        else:
            self._succeeded()
            entry.version = version_of(metadata)
            entry.command = None

    async def pause(self, error: ClusterError) -> None:
        """Wait before the next try, longer each time until something succeeds. Raises Rest after a few."""
        self._failures += 1
        if self._may_rest() and self._failures >= (1 if self._entry.failures else FAILURES_BEFORE_REST):
            raise Rest(error)
        await self._sleep(self._backoff, error)

    async def _read(self) -> None:
        """Start from what the API server says, as soon as it says anything."""
        entry, backoff = self._entry, Backoff()
        while True:
            try:
                body = await self._shell.cluster.read(RUNS, entry.namespace, entry.name)
                break
            except Gone:
                raise Deleted from None
            except ClusterError as error:
                await self._sleep(backoff, error)
        if body["metadata"].get("uid") != entry.uid:
            raise Deleted
        entry.take(body)
        self._state.adopt()

    async def _sleep(self, backoff: Backoff, error: ClusterError) -> None:
        self._shell.complaints.hear(self._entry.key, error)
        await asyncio.sleep(backoff.pause(disposition(error).retry_after))

    def _succeeded(self) -> None:
        self._backoff.reset()
        self._failures = 0
