"""All runs: what is known of each, who is awake, and what wakes them.

A run is awake, with an actor and a task of its own, only while something is to be done for it or a call of it is in
flight. Everything else is an entry: a run that waits costs memory, a run that has ended next to nothing. How many may
be awake at once is limited; those that only stand in line for a place at a host do not count, or one slow host would
take the room of all others.
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from flow_operator.api.reasons import Reason
from flow_operator.engine.contract import Unresolved
from flow_operator.engine.errors import Refused
from flow_operator.reconciler.actor import LONGEST_REST_SECONDS, SHORTEST_REST_SECONDS, Actor
from flow_operator.reconciler.backoff import pause_after
from flow_operator.reconciler.entry import Entry, Key
from flow_operator.reconciler.held import Unreadable
from flow_operator.reconciler.ports import Object
from flow_operator.reconciler.shell import Shell
from flow_operator.reconciler.storing import Deleted, Demoted
from flow_operator.reconciler.turns import Turns
from flow_operator.reconciler.versions import is_newer, version_of

log = logging.getLogger(__name__)

BURST = 50
"""How many are woken in one turn of the event loop. Most of those that are looked at because a lease was gained have
nothing to do, and are gone by the next turn: their memory is needed once, and not once for each."""


@dataclass(frozen=True, slots=True)
class Queue:
    """How much there is to do at this moment."""

    depth: int
    """Runs that somebody ought to look at, and for which there is no room yet."""
    oldest: float
    """Seconds that the first of them has waited; 0 if there is none."""
    active: int
    """Runs that are awake, those that only wait for places at hosts aside."""


class Runs:
    """The entries, and the actors of those that are awake."""

    def __init__(self, shell: Shell, concurrency: int) -> None:
        self._shell = shell
        self._concurrency = concurrency
        self._entries: dict[Key, Entry] = {}
        self._awake: dict[Key, tuple[Actor, asyncio.Task[datetime | None]]] = {}
        self._in_line: set[Key] = set()
        """Those of them that do not count: they only wait for places at hosts."""
        self._turns = Turns()
        self._begun = 0
        """How many were woken in this turn of the event loop."""
        self._unresolved: dict[Key, set[Key]] = {}
        """(namespace, workflow) → the runs that wait for it."""
        self._unpinned: set[Key] = set()
        """Runs whose revision is gone: nothing tells when it is back."""
        # Whoever wakes a run (kopf's workers above all) must not be kept alive by the run's task through its context.
        self._context = contextvars.Context()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def queue(self) -> Queue:
        """What waits and what is awake."""
        oldest = self._turns.longest(asyncio.get_running_loop().time())
        return Queue(len(self._turns), oldest, len(self._awake) - len(self._in_line))

    def uids(self) -> dict[Key, str]:
        """The uid of every known run."""
        return {key: entry.uid for key, entry in self._entries.items()}

    def observe(self, body: Object) -> None:
        """The API server says so; perhaps it is old news."""
        metadata = body["metadata"]
        key = (metadata["namespace"], metadata["name"])
        entry = self._entries.get(key)
        if entry is not None:
            if not is_newer(version_of(metadata), entry.version):
                return
            if entry.uid != metadata["uid"]:
                self._drop(entry)
                entry = None
        if entry is None:
            entry = self._entries[key] = Entry(key[0], key[1], metadata["uid"])
        elif (awake := self._awake.get(key)) is not None:
            awake[0].tell(body)
            return
        entry.take(body)
        self._wake(entry)
        if key not in self._awake:
            entry.pack()

    def forget(self, namespace: str, name: str, uid: str | None = None) -> None:
        """The run was deleted: nothing remains of it."""
        entry = self._entries.get((namespace, name))
        if entry is not None and uid in (None, entry.uid):
            self._drop(entry)

    def is_news(self, metadata: Object) -> bool:
        """Whether this metadata belongs to an object that is not known as it is."""
        entry = self._entries.get((metadata["namespace"], metadata["name"]))
        return entry is None or is_newer(version_of(metadata), entry.version)

    def definition_changed(self, namespace: str, workflow: str) -> None:
        """Wake the runs that could not start without it, and those that are about to say so."""
        for key in self._unresolved.pop((namespace, workflow), ()):
            self._wake_key(key)
        for actor, _ in self._awake.values():
            if actor.unresolved is not None and (actor.entry.namespace, actor.entry.workflow) == (namespace, workflow):
                actor.ring()

    def look_for_revisions(self) -> None:
        """Wake the runs whose revision was gone: it may be back."""
        unpinned, self._unpinned = self._unpinned, set()
        for key in unpinned:
            self._wake_key(key)

    def start_acting(self, shards: Collection[int]) -> None:
        """This process is the one that acts for these shards now: look at every run of theirs."""
        for entry in self._of(shards):
            self._wake(entry)

    async def stop_acting(self, shards: Collection[int]) -> None:
        """Another process may act for these shards from now on: let go of all their runs, at once."""
        for entry in self._of(shards):
            self._turns.discard(entry)
            entry.disarm()
        tasks = [task for _, task in self._awake_of(shards)]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def drain(self, shards: Collection[int], grace: float) -> bool:
        """Wait until what is in flight is stored, but no longer than this; whether nothing is in flight any more."""
        for entry in self._of(shards):
            self._turns.discard(entry)
        awake = self._awake_of(shards)
        for actor, _ in awake:
            actor.ring()
        if awake:
            await asyncio.wait([task for _, task in awake], timeout=grace)
        return not self._awake_of(shards)

    def _of(self, shards: Collection[int]) -> list[Entry]:
        return [entry for entry in self._entries.values() if self._shell.shards.among(entry.uid, shards)]

    def _awake_of(self, shards: Collection[int]) -> list[tuple[Actor, asyncio.Task[datetime | None]]]:
        return [each for each in self._awake.values() if self._shell.shards.among(each[0].entry.uid, shards)]

    def _wake_key(self, key: Key) -> None:
        entry = self._entries.get(key)
        if entry is not None:
            self._wake(entry)

    def _wake(self, entry: Entry) -> None:
        """Have somebody look at this run, as soon as there is room."""
        awake = self._awake.get(entry.key)
        if awake is not None:
            awake[0].ring()
        elif self._may_begin(entry) and not entry.settled:
            self._turns.add(entry, asyncio.get_running_loop().time())
            self._fill()

    def _may_begin(self, entry: Entry) -> bool:
        shards = self._shell.shards
        return shards.is_acting(entry.uid) and not shards.is_draining(entry.uid)

    def _fill(self) -> None:
        while self._begun < BURST and len(self._awake) - len(self._in_line) < self._concurrency:
            entry = self._turns.next()
            if entry is None:
                return
            self._begun += 1
            if self._begun == 1:
                asyncio.get_running_loop().call_soon(self._next_burst, context=self._context)
            self._start(entry)

    def _next_burst(self) -> None:
        self._begun = 0
        self._fill()

    def _start(self, entry: Entry) -> None:
        entry.disarm()
        self._waits_no_more(entry)
        try:
            actor = Actor(entry, self._shell, partial(self._moved, entry.key))
        except Exception as error:  # noqa: BLE001 one run that cannot even be read must not keep the others waiting
            self._failed(entry, error)
            return
        task = asyncio.get_running_loop().create_task(actor.run(), context=self._context.copy())
        self._awake[entry.key] = (actor, task)
        task.add_done_callback(partial(self._rested, actor), context=self._context)

    def _moved(self, key: Key) -> None:
        """The calls of a run that is awake have begun to wait for places, or have one now."""
        awake = self._awake.get(key)
        if awake is None or not awake[0].stands_in_line:
            self._in_line.discard(key)
        elif key not in self._in_line:
            self._in_line.add(key)
            self._fill()

    def _rested(self, actor: Actor, task: asyncio.Task[datetime | None]) -> None:
        """The actor is done: note what the run waits for."""
        entry = actor.entry
        if (awake := self._awake.get(entry.key)) is not None and awake[0] is actor:
            del self._awake[entry.key]
            self._in_line.discard(entry.key)
        missed = actor.leftovers()
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or self._entries.get(entry.key) is not entry:
            pass  # not to be acted on any more
        elif missed and (error is None or isinstance(error, Unreadable)):
            self._wake(entry)
        elif error is not None:
            self._failed(entry, error)
        else:
            self._waits(entry, actor.unresolved, task.result())
        self._fill()

    def _waits(self, entry: Entry, unresolved: Unresolved | None, wake_at: datetime | None) -> None:
        entry.failures = 0
        if entry.settled:
            return
        if wake_at is not None:
            self._arm(entry, wake_at)
        if unresolved is None:
            return
        if unresolved.reason is Reason.REVISION_NOT_FOUND:
            self._unpinned.add(entry.key)
        elif self._shell.lookup(entry.namespace, entry.workflow) != unresolved:
            self._wake(entry)  # it has changed since the actor looked
        else:
            self._unresolved.setdefault((entry.namespace, entry.workflow), set()).add(entry.key)

    def _waits_no_more(self, entry: Entry) -> None:
        self._unpinned.discard(entry.key)
        waiting = self._unresolved.get((entry.namespace, entry.workflow))
        if waiting is not None:
            waiting.discard(entry.key)
            if not waiting:
                del self._unresolved[entry.namespace, entry.workflow]

    def _failed(self, entry: Entry, error: BaseException) -> None:
        match error:
            case Deleted():
                self._drop(entry)
            case Demoted():
                pass  # every run is looked at when the lease is back
            case Unreadable():
                log.warning("run %s/%s cannot be read: %s", *entry.key, error)
            case Refused():
                log.error("run %s/%s: %s", *entry.key, error)
                self._retry(entry)
            case _:
                log.error("run %s/%s failed inside the operator", *entry.key, exc_info=error)
                self._retry(entry)

    def _retry(self, entry: Entry) -> None:
        """Look again after a pause that grows: a run that always fails costs the others nothing."""
        pause = pause_after(entry.failures, first=1.0, longest=60.0)
        entry.failures += 1
        entry.disarm()
        entry.timer = self._later(pause, self._wake, entry)

    def _arm(self, entry: Entry, moment: datetime) -> None:
        """Wake the run at this moment of the wall clock, which may be set meanwhile."""
        left = (moment - self._shell.now()).total_seconds()
        pause = min(max(left, SHORTEST_REST_SECONDS), LONGEST_REST_SECONDS)
        entry.disarm()
        entry.timer = self._later(pause, self._due, entry, moment)

    def _due(self, entry: Entry, moment: datetime) -> None:
        if self._shell.now() >= moment:
            self._wake(entry)
        else:
            self._arm(entry, moment)

    def _later(self, seconds: float, callback: Callable[..., None], *args: object) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, callback, *args, context=self._context)

    def _drop(self, entry: Entry) -> None:
        entry.disarm()
        self._turns.discard(entry)
        self._waits_no_more(entry)
        if self._entries.get(entry.key) is entry:
            del self._entries[entry.key]
            if (awake := self._awake.pop(entry.key, None)) is not None:
                self._in_line.discard(entry.key)
                awake[1].cancel()
