"""One Lease says which replica acts (semantics: How it is started).

A lease is for liveness: at most one replica believes that it holds it, as far as clocks run at about the same speed.
Safety does not rest on it but on the resourceVersion of every write and on the idempotency key of every call.

- Time is measured by the monotonic clock of this process only; the times in the object are for people.
- The holder renews each third of the duration. It ceases to act before a standby could take over: the standby waits
  a whole duration from when it *saw* the last renewal, the holder counts from when it *began* it, and stops earlier.
- A lease that names this identity is taken back at once: it is from before a restart.
"""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

from flow_operator.adapters import clock
from flow_operator.engine.errors import ClusterError, Conflict, Gone

log = logging.getLogger(__name__)

LEASES = "leases"
STOP_AT = 0.8
"""The part of the duration after which a holder that could not renew ceases to act."""
STANDBY_SECONDS = 2.0
"""How often, at least, a standby looks: a lease that was given back is taken up that soon."""

Object = dict[str, Any]


class Leases(Protocol):
    """The part of the API server that is needed here."""

    async def read(self, plural: str, namespace: str, name: str) -> Object:
        """The lease."""
        ...

    async def create(self, plural: str, namespace: str, document: Object) -> Object:
        """Create it; Conflict if somebody was faster."""
        ...

    async def replace(self, plural: str, namespace: str, name: str, document: Object) -> Object:
        """Compare and swap it."""
        ...


class Lease:
    """Gets, keeps and gives back one lease."""

    def __init__(
        self,
        leases: Leases,
        *,
        namespace: str,
        name: str,
        identity: str,
        duration: float,
        on_gain: Callable[[], None],
        on_loss: Callable[[], Awaitable[None]],
        now: Callable[[], datetime] = clock.now,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._leases = leases
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._duration = duration
        self._on_gain = on_gain
        self._on_loss = on_loss
        self._now = now
        self._monotonic = monotonic
        self._until = float("-inf")
        self._acting = False
        self._seen: tuple[str, float] = ("", float("-inf"))
        """The resourceVersion last seen of another holder's lease, and when it was seen first."""

    @property
    def held(self) -> bool:
        """Whether this process may act at this very moment."""
        return self._monotonic() < self._until

    async def run(self) -> None:
        """Strive for the lease, and keep it, until cancelled; then cease to act."""
        try:
            while True:
                began = self._monotonic()
                mine = await self._attempt()
                if self._acting and not (self.held and mine is not False):
                    await self._cease()
                if mine:
                    self._until = began + self._duration * STOP_AT
                    self._begin()
                await asyncio.sleep(self._pause(mine))
        finally:
            await self._cease()

    async def release(self) -> None:
        """Give the lease back, so that a standby need not wait; as well as it can be done within three seconds."""
        try:
            async with asyncio.timeout(3):
                lease = await self._leases.read(LEASES, self._namespace, self._name)
                if _spec(lease).get("holderIdentity") == self._identity:
                    lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                    await self._leases.replace(LEASES, self._namespace, self._name, lease)
        except (ClusterError, TimeoutError) as error:
            log.warning("lease %s/%s could not be given back: %s", self._namespace, self._name, error)

    async def _attempt(self) -> bool | None:
        """Whether the lease is ours; None if that is not known."""
        patience = self._until - self._monotonic() if self.held else self._duration
        try:
            async with asyncio.timeout(patience):
                return await self._strive()
        except Conflict:
            return None
        except (ClusterError, TimeoutError) as error:
            log.warning("lease %s/%s: %s", self._namespace, self._name, error if str(error) else "no answer in time")
            return None

    async def _strive(self) -> bool:
        try:
            lease = await self._leases.read(LEASES, self._namespace, self._name)
        except Gone:
            await self._leases.create(LEASES, self._namespace, self._renewed(None))
            return True
        holder = _spec(lease).get("holderIdentity")
        if holder and holder != self._identity and not self._expired(lease):
            return False
        await self._leases.replace(LEASES, self._namespace, self._name, self._renewed(lease))
        return True

    def _renewed(self, lease: Object | None) -> Object:
        now = self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = dict(_spec(lease)) if lease is not None else {}
        if spec.get("holderIdentity") != self._identity:
            spec |= {"acquireTime": now, "leaseTransitions": spec.get("leaseTransitions", -1) + 1}
        spec |= {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": math.ceil(self._duration),
            "renewTime": now,
        }
        metadata = {"name": self._name, "namespace": self._namespace}
        if lease is not None:
            metadata["resourceVersion"] = lease["metadata"]["resourceVersion"]
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}

    def _expired(self, lease: Object) -> bool:
        """Whether the holder has not renewed for a whole duration of its own, as seen from here."""
        version, now = lease["metadata"]["resourceVersion"], self._monotonic()
        if version != self._seen[0]:
            self._seen = (version, now)
        return now - self._seen[1] >= float(_spec(lease).get("leaseDurationSeconds") or self._duration)

    def _pause(self, mine: bool | None) -> float:
        third = self._duration / 3
        if mine:
            return third
        if self.held:
            return min(third / 5, max(self._until - self._monotonic(), 0.0))
        return min(third, STANDBY_SECONDS) * random.uniform(0.8, 1.0)

    def _begin(self) -> None:
        if not self._acting:
            self._acting = True
            log.info("lease %s/%s is held by %s: acting", self._namespace, self._name, self._identity)
            self._on_gain()

    async def _cease(self) -> None:
        self._until = float("-inf")
        if self._acting:
            self._acting = False
            log.info("lease %s/%s is not held by %s any more", self._namespace, self._name, self._identity)
            await self._on_loss()


def _spec(lease: Object) -> Object:
    return lease.get("spec") or {}
