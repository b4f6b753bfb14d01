"""Leases say which replica acts for which shard of the runs (semantics: Replicas).

A lease is for liveness: at most one replica believes that it holds it, as far as clocks run at about the same speed.
Safety does not rest on it but on the resourceVersion of every write and on the idempotency key of every call.

- Time is measured by the monotonic clock of this process only; the times in the objects are for people.
- The holder renews each third of the duration, and ceases to act when four fifths of it have passed since it *began*
  the last renewal. Another takes over when nine tenths have passed since it *saw* that, so within the duration.
- A lease is taken by compare and swap, and acted upon only after all leases were listed once more: of two replicas that
  disagree about the number of shards, each has written before it looks, so one at least sees the other.
- A lease that names this identity is taken back at once: it is from before a restart.

`lease_facts` decides, `lease_store` makes the requests, and here is what a replica does meanwhile.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flow_operator.adapters import clock
from flow_operator.adapters.lease_facts import Facts, Sightings, replica_lease, shard_lease
from flow_operator.adapters.lease_store import LeaseStore, Server
from flow_operator.engine.errors import ClusterError

log = logging.getLogger(__name__)

STOP_AT = 0.8
"""The part of the duration after which a holder that could not renew ceases to act."""
TAKE_AT = 0.9
"""The part of the duration after which another may take the lease, counted from when it saw the last renewal."""
LOOK_AT, LOOK_SECONDS = 1 / 12, 2.0
"""How often, at least, everybody looks, as a part of the duration and at most: so soon is seen what was given back."""
GRACE_SECONDS = 20.0
"""What calls in flight get before a shard is given away; kubelet kills 30 s after SIGTERM."""
TURN_SECONDS = 3.0
"""What a turn that is under way gets at the end, before what it takes is left to run out."""
KEEP_SECONDS, KEEP_DOUBLINGS = 60.0, 6
"""How long a shard is kept that could not be handed over, since calls were in flight for longer than that: doubling,
so that runs whose calls are always long do not stand still for the sake of balance."""
STALE_DURATIONS = 10
"""After so many durations without a renewal, what a replica that went away has left is deleted."""


class Actors(Protocol):
    """Who acts for shards, and ceases to."""

    def start_acting(self, shards: Collection[int]) -> None:
        """The leases of these shards are held."""
        ...

    async def stop_acting(self, shards: Collection[int]) -> None:
        """They are not held any more, or are about to be given back."""
        ...

    async def drain(self, shards: Collection[int], grace: float) -> bool:
        """Begin nothing new; whether everything in flight has ended and is stored within so many seconds."""
        ...


@dataclass(slots=True)
class Hold:
    """A shard whose lease is held."""

    until: float
    """By the monotonic clock; not to be acted for from then on."""
    due: float
    """When to renew it."""
    acting: bool = False
    """Not before all leases were listed once more; and no more once it is let go."""


class ShardLeases:
    """Gets, keeps, balances and gives back the leases of the shards."""

    def __init__(
        self,
        server: Server,
        actors: Actors,
        *,
        namespace: str,
        identity: str,
        shards: int,
        duration: float,
        now: Callable[[], datetime] = clock.now,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._store = LeaseStore(
            server, namespace=namespace, identity=identity, shards=shards, duration=duration, now=now
        )
        self._actors = actors
        self._identity = identity
        self._shards = shards
        self._duration = duration
        self._monotonic = monotonic
        self._sightings = Sightings()
        self._held: dict[int, Hold] = {}
        self._leaving: dict[int, asyncio.Task[None]] = {}
        """Shards that are being handed over. They are still renewed, and acted for."""
        self._firm: dict[int, float] = {}
        """Those of them that go, whatever is in flight, at this moment of the monotonic clock."""
        self._kept: dict[int, tuple[int, float]] = {}
        """Shards that could not be handed over: how often in a row, and until when they are kept."""
        self._known_until = float("-inf")
        """When to renew the lease by which this replica is known."""
        self._next_over = float("-inf")
        """When the first of all leases is over, unless it is renewed."""
        self._broken: BaseException | None = None
        """What a hand-over ended with that never should: this replica cannot tell any more what it holds."""
        self._broke = asyncio.Event()
        self._turning = asyncio.Lock()
        """Held while a turn is under way, so that the end can wait for it."""
        self._ending = False
        self._waiting = False

    @property
    def held(self) -> int:
        """How many shards this replica acts for at this very moment."""
        return sum(map(self.is_held, self._held))

    def is_held(self, shard: int) -> bool:
        """Whether this process may act for the shard at this very moment."""
        hold = self._held.get(shard)
        return hold is not None and hold.acting and self._monotonic() < hold.until

    async def run(self) -> None:
        """Strive for this replica's share, and keep it, until cancelled; then cease to act.

        Raises what a hand-over ended with, if that was not foreseen.
        """
        try:
            while self._broken is None:
                async with self._turning:
                    pause = await self._turn()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._broke.wait()
            raise self._broken
        finally:
            for task in self._leaving.values():
                task.cancel()
            await self._cease(set(self._held))

    async def leave(self) -> None:
        """Give everything back: start nothing new, store what comes within the grace, and let others have the leases.

        `run` goes on meanwhile, and keeps what is not given back yet.
        """
        self._ending = True
        firm = self._monotonic() + GRACE_SECONDS
        for shard in self._held:
            self._give(shard, firm)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TURN_SECONDS), self._turning:
                pass  # what was being taken at this moment is held now, or it is not
        if self._shards > 1:
            await self._store.delete(replica_lease(self._identity))
        while (self._held or self._leaving) and self._broken is None:
            for shard in self._held:
                self._give(shard, firm)
            await asyncio.wait(self._leaving.values())

    async def _turn(self) -> float:
        """Look, and do what follows from it; for how long to rest then, in seconds."""
        try:
            async with asyncio.timeout(self._patience()):
                facts = await self._look()
            await self._cease(self._lost(facts))
            async with asyncio.timeout(self._patience()):
                taken = await self._act_upon(facts)
        except (ClusterError, TimeoutError) as error:
            log.warning("leases: %s", self._store.complaint(error))
            await self._cease(self._over())
            return self._soon()
        await self._cease(self._over())
        return 0.0 if taken else self._pause()

    async def _look(self) -> Facts:
        began = self._monotonic()
        leases = await self._store.all()
        self._sightings.note(leases.values(), self._monotonic())
        # As of before the request: however late the answer is looked at, nobody is taken for dead because of that.
        left = {
            name: TAKE_AT * (lease.seconds or self._duration) - self._sightings.age(lease, began)
            for name, lease in leases.items()
            if lease.holder
        }
        live = {name: seconds for name, seconds in left.items() if seconds > 0}
        self._next_over = began + min(live.values(), default=self._duration)
        return Facts(self._identity, self._shards, leases, live)

    async def _act_upon(self, facts: Facts) -> bool:
        """Whether something was taken, so that it is worth to look again at once."""
        self._tell_waiting(facts)
        if facts.may_begin:
            self._begin()
        now = self._monotonic()
        firm = now + GRACE_SECONDS if facts.is_outvoted else None
        for shard in facts.to_give(self._held):
            if firm is not None or now >= self._kept.get(shard, (0, now))[1]:
                self._give(shard, firm)
        take = set() if self._ending else facts.to_take() - self._held.keys() - self._leaving.keys()
        due = {shard for shard, hold in self._held.items() if now >= hold.due}
        writes = (self._hold(facts, shard) for shard in sorted(take | due))
        await asyncio.gather(*writes, self._make_known(facts), self._clean(facts))
        return bool(take & self._held.keys())

    def _begin(self) -> None:
        begun = {shard for shard, hold in self._held.items() if not hold.acting and shard not in self._leaving}
        for shard in begun:
            self._held[shard].acting = True
        if begun:
            log.info("%s held by %s: acting", self._named(begun), self._identity)
            self._actors.start_acting(begun)

    def _lost(self, facts: Facts) -> set[int]:
        return {shard for shard in self._held if not facts.is_mine(shard)} | self._over()

    def _over(self) -> set[int]:
        return {shard for shard, hold in self._held.items() if self._monotonic() >= hold.until}

    async def _cease(self, shards: Collection[int]) -> None:
        """Let go of these at once: another may act for them."""
        acting = {shard for shard in shards if (hold := self._held.pop(shard, None)) is not None and hold.acting}
        if acting:
            log.info("%s not held by %s any more", self._named(acting), self._identity)
            await self._actors.stop_acting(acting)

    async def _hold(self, facts: Facts, shard: int) -> None:
        """Take the lease, or renew it."""
        began = self._monotonic()
        hold = self._held.get(shard)
        name = shard_lease(shard, self._shards)
        if not await self._store.take(name, facts.leases.get(name)):
            if hold is not None:
                hold.due = began + self._duration / 15
            return
        if hold is None:
            hold = self._held[shard] = Hold(0.0, 0.0)
        hold.until, hold.due = began + self._duration * STOP_AT, began + self._duration / 3

    async def _make_known(self, facts: Facts) -> None:
        """Hold the lease by which this replica is known to the others, if there is anything to share."""
        began = self._monotonic()
        name = replica_lease(self._identity)
        if self._shards == 1 or self._ending or (began < self._known_until and name in facts.leases):
            return
        if await self._store.take(name, facts.leases.get(name)):
            self._known_until = began + self._duration / 3

    async def _clean(self, facts: Facts) -> None:
        """Delete what replicas that are gone for good have left behind. One of all replicas does it."""
        now = self._monotonic()
        for lease in facts.unused() if self.is_held(0) else ():
            if self._sightings.age(lease, now) >= STALE_DURATIONS * self._duration:
                await self._store.clean(lease)

    def _give(self, shard: int, firm: float | None) -> None:
        """Begin to hand a shard over; `firm`: at this moment it goes, whatever is in flight."""
        if firm is not None:
            self._firm.setdefault(shard, firm)
        if shard not in self._leaving:
            self._leaving[shard] = task = asyncio.create_task(self._hand_over(shard))
            task.add_done_callback(lambda task: self._handed_over(shard, task))

    def _handed_over(self, shard: int, task: asyncio.Task[None]) -> None:
        self._leaving.pop(shard, None)
        self._firm.pop(shard, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = error
            self._broke.set()

    async def _hand_over(self, shard: int) -> None:
        """Start nothing new, store what comes, and only then give the lease away."""
        patience = self._monotonic() + GRACE_SECONDS
        drained = not self.is_held(shard)
        while not drained and (left := self._firm.get(shard, patience) - self._monotonic()) > 0:
            drained = await self._actors.drain({shard}, left)
        if not drained and shard not in self._firm and self.is_held(shard):
            log.info("%s kept by %s: calls are in flight for too long", self._named({shard}), self._identity)
            times, _ = self._kept.get(shard, (0, 0.0))
            self._kept[shard] = times + 1, self._monotonic() + KEEP_SECONDS * 2 ** min(times, KEEP_DOUBLINGS)
            self._actors.start_acting({shard})
            return
        self._kept.pop(shard, None)
        await self._cease({shard})
        await self._store.give_back(shard_lease(shard, self._shards))

    def _patience(self) -> float:
        """How long requests may take: whoever cannot renew has to notice in time."""
        until = (hold.until for hold in self._held.values())
        return min(until, default=self._monotonic() + self._duration) - self._monotonic()

    def _pause(self) -> float:
        """Until the next renewal is due, another's lease is over, or it is time to look what the others do."""
        moments = [self._next_over, *(hold.due for hold in self._held.values())]
        return max(min(self._look_seconds(), min(moments) - self._monotonic()), 0.01)

    def _soon(self) -> float:
        """After something went wrong: soon, as long as there is something to lose."""
        if not self._held:
            return self._look_seconds()
        return max(min(self._duration / 15, self._patience()), 0.0)

    def _look_seconds(self) -> float:
        return min(self._duration * LOOK_AT, LOOK_SECONDS) * random.uniform(0.8, 1.0)

    def _tell_waiting(self, facts: Facts) -> None:
        waiting = facts.others_act and not self._held
        if waiting and not self._waiting:
            log.info("%s waits until no replica with another FLOW_SHARDS acts any more", self._identity)
        self._waiting = waiting

    def _named(self, shards: Collection[int]) -> str:
        numbers = ", ".join(map(str, sorted(shards)))
        return f"shards {numbers} of {self._shards} are" if len(shards) > 1 else f"shard {numbers} of {self._shards} is"
