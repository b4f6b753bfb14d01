"""All runs: what is known of each, who is awake, and what wakes them.

A run is awake, with an actor and a task of its own, only while something is to be done for it or a call of it is in
flight. Everything else is an entry: a run that waits, for a slot at a host or for an API server that takes what it has
to store, costs memory, a run that has ended next to nothing. How many may be awake at once is limited, and namespaces
share that.
"""

import asyncio
import contextvars
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import uniform

from flow_operator.api.reasons import Reason
from flow_operator.engine.definitions.definition import Unresolved
from flow_operator.engine.errors import ClusterError, Refused, disposition
from flow_operator.engine.fairness import may_take
from flow_operator.reconciler.actor import LONGEST_REST_SECONDS, SHORTEST_REST_SECONDS, Actor
from flow_operator.reconciler.backoff import LONGEST, pause_after
from flow_operator.reconciler.entry import Entry, Key
from flow_operator.reconciler.ports import Object
from flow_operator.reconciler.run_state import Unreadable
from flow_operator.reconciler.shell import Shell
from flow_operator.reconciler.storing import Deleted, Demoted, Rest
from flow_operator.reconciler.turns import Turns
from flow_operator.reconciler.versions import is_newer, version_of

log = logging.getLogger(__name__)

RETRIES_PER_SECOND = 20.0
"""How often, for all runs of a namespace together, writes are tried again that were refused."""
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
    """Runs that are awake."""


class Runs:
    """The entries, and the actors of those that are awake."""

    def __init__(self, shell: Shell, concurrency: int, per_namespace: int) -> None:
        """At most `concurrency` are awake at once, and `per_namespace` of one namespace; 0 for a share."""
        self._shell = shell
        self._concurrency = concurrency
        self._per_namespace = per_namespace
        self._entries: dict[Key, Entry] = {}
        self._awake: dict[Key, tuple[Actor, asyncio.Task[datetime | None]]] = {}
        self._awake_in: Counter[str] = Counter()
        """How many of them each namespace has."""
        self._failing: Counter[str] = Counter()
        """How many runs of each namespace rest since they could not be brought on."""
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
        return Queue(len(self._turns), oldest, len(self._awake))

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
            awake[0].observe(body)
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
                actor.wake()

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
            self._stop(entry)
        tasks = [task for _, task in self._awake_of(shards)]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def drain(self, shards: Collection[int], grace: float) -> bool:
        """Wait until what is in flight is stored, but no longer than this; whether nothing is in flight any more."""
        awake = self._awake_of(shards)
        for entry in self._of(shards):
            self._turns.discard(entry)
            if entry.key not in self._awake:
                self._give_back_tickets(entry)
        for actor, _ in awake:
            actor.wake()
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
            awake[0].wake()
        elif self._may_begin(entry) and not entry.settled:
            self._turns.add(entry, asyncio.get_running_loop().time())
            self._fill()

    def _may_begin(self, entry: Entry) -> bool:
        shards = self._shell.shards
        return shards.is_acting(entry.uid) and not shards.is_draining(entry.uid)

    def _fill(self) -> None:
        while self._begun < BURST and len(self._awake) < self._concurrency:
            entry = self._turns.next(self._has_room)
            if entry is None:
                return
            self._begun += 1
            if self._begun == 1:
                asyncio.get_running_loop().call_soon(self._next_burst, context=self._context)
            self._start(entry)

    def _has_room(self, namespace: str) -> bool:
        return may_take(self._awake_in[namespace], self._concurrency - len(self._awake), self._per_namespace)

    def _next_burst(self) -> None:
        self._begun = 0
        self._fill()

    def _start(self, entry: Entry) -> None:
        entry.disarm()
        self._waits_no_more(entry)
        try:
            actor = Actor(entry, self._shell, partial(self._wake_key, entry.key))
        except Exception as error:  # noqa: BLE001 one run that cannot even be read must not keep the others waiting
            self._failed(entry, error)
            return
        task = asyncio.get_running_loop().create_task(actor.run(), context=self._context.copy())
        self._awake[entry.key] = (actor, task)
        self._awake_in[entry.namespace] += 1
        task.add_done_callback(partial(self._rested, actor), context=self._context)

    def _rested(self, actor: Actor, task: asyncio.Task[datetime | None]) -> None:
        """The actor is done: note what the run waits for."""
        entry = actor.entry
        if (awake := self._awake.get(entry.key)) is not None and awake[0] is actor:
            self._no_longer_awake(entry)
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
        self._recovered(entry)
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
            case Rest():
                self._rests(entry, error.error)
            case _:
                log.error("run %s/%s failed inside the operator", *entry.key, exc_info=error)
                self._retry(entry)

    def _rests(self, entry: Entry, error: ClusterError) -> None:
        """The API server does not take what the run has to store."""
        if isinstance(error, Refused):
            log.error("run %s/%s: %s", *entry.key, error)
        else:
            self._shell.complaints.hear(entry.key, error)
        told = disposition(error)
        if told.result == "refused":  # by something that is likely to refuse others of this namespace as well
            crowd = (self._failing[entry.namespace] + 1) / RETRIES_PER_SECOND * uniform(0.5, 1.5)
            self._retry(entry, at_least=max(crowd, told.retry_after or 0.0))
        else:
            self._retry(entry, at_least=told.retry_after or 0.0, longest=LONGEST)

    def _retry(self, entry: Entry, at_least: float = 0.0, longest: float = 60.0) -> None:
        """Look again after a pause that grows: a run that always fails costs the others nothing."""
        pause = max(pause_after(entry.failures, first=1.0, longest=longest), at_least)
        self._failing[entry.namespace] += entry.failures == 0
        entry.failures += 1
        entry.disarm()
        entry.timer = self._later(pause, self._wake, entry)

    def _recovered(self, entry: Entry) -> None:
        """It could be brought on, or is gone."""
        if entry.failures:
            entry.failures = 0
            self._failing[entry.namespace] -= 1
            if not self._failing[entry.namespace]:
                del self._failing[entry.namespace]

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
        self._stop(entry)
        self._recovered(entry)
        self._waits_no_more(entry)
        if self._entries.get(entry.key) is entry:
            del self._entries[entry.key]
            if (awake := self._awake.get(entry.key)) is not None:
                self._no_longer_awake(entry)
                awake[1].cancel()

    def _stop(self, entry: Entry) -> None:
        """Nothing wakes this run any more."""
        self._turns.discard(entry)
        entry.disarm()
        if entry.key not in self._awake:
            self._give_back_tickets(entry)

    def _give_back_tickets(self, entry: Entry) -> None:
        """What a run has asked for at hosts that has no actor. One that has an actor needs them until it ends."""
        for ticket in entry.tickets.values():
            self._shell.slots.give_back(ticket)
        entry.tickets.clear()

    def _no_longer_awake(self, entry: Entry) -> None:
        del self._awake[entry.key]
        self._awake_in[entry.namespace] -= 1
        if not self._awake_in[entry.namespace]:
            del self._awake_in[entry.namespace]
