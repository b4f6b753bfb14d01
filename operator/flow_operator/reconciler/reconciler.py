"""The shell as the rest of the process sees it: it is told what the watch brings, and when to act and when not to."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from flow_operator.reconciler.definitions import DefinitionCache, Definitions, Known
from flow_operator.reconciler.listing import Listing
from flow_operator.reconciler.ports import (
    RUNS,
    STEPS,
    WORKFLOWS,
    Cache,
    Caller,
    Cluster,
    Meter,
    Now,
    Object,
    Planner,
    Recorder,
    Registrar,
    Slots,
    Tracer,
    Untraced,
)
from flow_operator.reconciler.revisions import Revisions
from flow_operator.reconciler.runs import Queue, Runs
from flow_operator.reconciler.shards import Shards
from flow_operator.reconciler.shell import Shell
from flow_operator.reconciler.statuses import DefinitionStatuses


@dataclass(frozen=True, slots=True)
class World:
    """What is outside."""

    cluster: Cluster
    caller: Caller
    slots: Slots
    meter: Meter
    recorder: Recorder
    now: Now
    tracer: Tracer = field(default_factory=Untraced)


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How many runs there are, by namespace, workflow and, where it applies, a word."""

    phases: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    parked: Counter[tuple[str, str]] = field(default_factory=Counter)
    waiting: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By the reason of `status.waiting`."""


class Reconciler:
    """Brings every run on, as long as it may act."""

    def __init__(
        self,
        plan: Planner,
        record: Registrar,
        world: World,
        *,
        shards: int,
        is_held: Callable[[int], bool],
        service_url: str,
        concurrency: int,
        per_namespace: int = 0,
    ) -> None:
        """`is_held` tells whether the lease of a shard is held at this very moment; `concurrency` is how many runs
        may be awake at once, `per_namespace` how many of one namespace (0: a share of what is free).
        """
        definitions = Definitions(world.now)
        revisions = Revisions(world.cluster, world.meter)
        self._shards = Shards(shards, is_held)
        shell = Shell(
            plan=plan,
            record=record,
            cluster=world.cluster,
            caller=world.caller,
            slots=world.slots,
            lookup=definitions.lookup,
            revisions=revisions,
            meter=world.meter,
            recorder=world.recorder,
            tracer=world.tracer,
            now=world.now,
            shards=self._shards,
            service_url=service_url,
        )
        self._runs = Runs(shell, concurrency, per_namespace)
        self._statuses = DefinitionStatuses(definitions, world.cluster, world.meter, self._shards)
        self._definitions = definitions
        self._meter = world.meter
        self._revisions = revisions
        self._caches: Mapping[str, Cache] = {
            STEPS: DefinitionCache(definitions, "steps"),
            WORKFLOWS: DefinitionCache(definitions, "workflows"),
            RUNS: self._runs,
        }
        self._listing = Listing(world.cluster, self._caches, self._runs.look_for_revisions)
        definitions.on_change = self._definition_changed
        definitions.on_deletion = self._definition_deleted

    async def fill(self) -> None:
        """List everything for the first time; returns when the caches are full."""
        await self._listing.fill()

    async def keep_listing(self) -> None:
        """Compare the caches with the API server now and then, until cancelled."""
        await self._listing.run()

    async def keep_judging(self) -> None:
        """Keep the statuses of the definitions that this process acts for as they ought to be, until cancelled."""
        await self._statuses.run()

    def watch_begins(self) -> None:
        """A watch is about to begin, perhaps anew: what happened before it has to be found out."""
        self._listing.soon()

    def observe(self, plural: str, change: str, body: Object) -> None:
        """What a watch brings: ADDED, MODIFIED or DELETED."""
        if change == "DELETED":
            metadata = body["metadata"]
            self._caches[plural].forget(metadata["namespace"], metadata["name"], metadata["uid"])
            return
        self._caches[plural].observe(body)

    def start_acting(self, shards: Collection[int]) -> None:
        """The leases of these shards are held, or kept although they were being drained."""
        self._shards.start(shards)
        self._statuses.add_all(shards)
        self._runs.start_acting(shards)

    async def stop_acting(self, shards: Collection[int]) -> None:
        """The leases of these are lost, or to be given back: nothing more is begun, and calls are cut.

        The write of a definition's status that is under way is not waited for: its resourceVersion is fence enough.
        """
        self._shards.stop(shards)
        await self._runs.stop_acting(shards)

    async def drain(self, shards: Collection[int], grace: float) -> bool:
        """Begin no attempt for these shards, and store what comes of those in flight, for so many seconds at most.

        Whether all of it came: nothing of these shards is in flight any more.
        """
        self._shards.drain(shards)
        return await self._runs.drain(shards, grace)

    def count_runs(self) -> RunCounts:
        """How many runs there are.

        Only those that this process acts for: the sum over all replicas counts each run once.
        """
        counts = RunCounts()
        for entry in self._runs:
            if not self._shards.is_acting(entry.uid):
                continue
            counts.phases[entry.namespace, entry.workflow, entry.phase] += 1
            counts.parked[entry.namespace, entry.workflow] += entry.parked
            if entry.waiting:
                counts.waiting[entry.namespace, entry.workflow, entry.waiting] += 1
        return counts

    def has_workflow(self, name: str) -> bool:
        """Whether any namespace has a Workflow of this name."""
        return self._definitions.has_workflow(name)

    def queue(self) -> Queue:
        """How many runs wait for somebody to look at them, how long, and how many are awake."""
        return self._runs.queue()

    def _definition_changed(self, known: Known) -> None:
        self._statuses.add(known)
        if known.plural == WORKFLOWS:
            self._runs.definition_changed(known.namespace, known.name)

    def _definition_deleted(self, known: Known) -> None:
        if known.plural == WORKFLOWS:
            self._revisions.forget(known.namespace, known.name)
            if not self._definitions.has_workflow(known.name):
                self._meter.forget(known.name)
