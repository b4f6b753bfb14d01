"""What the leases in a namespace say, and what a replica is to do about it. Pure: no requests, no clock.

| lease | what holding it means |
|---|---|
| `flow-operator-0` | shard 0; and its label says how many shards there are (none: one) |
| `flow-operator-<shards>-<number>` | another shard |
| `flow-operator-replica-<hash>` | this replica is there, and wants its share (there is none for one shard) |

Shard 0 has one name, however many shards there are, so that replicas that disagree about FLOW_SHARDS, or that are of a
version which knew one shard only, compete for one lease; whoever gets it decides. It may be taken, and a replica begins
to act, only when no shard of another number is held by anybody else any more.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from flow_operator.adapters.balance import owners
from flow_operator.api.meta import GROUP

Object = dict[str, Any]

FIRST = "flow-operator-0"
SHARDS_LABEL = f"{GROUP}/shards"

_NAME = re.compile(r"flow-operator-(?:0|replica-[0-9a-f]{12}|(?P<shards>[0-9]{1,3})-(?P<shard>[0-9]{1,3}))")


def shard_lease(shard: int, shards: int) -> str:
    """The name of the lease of a shard."""
    return f"flow-operator-{shards}-{shard}" if shard else FIRST


def replica_lease(identity: str) -> str:
    """The name of the lease by which a replica makes itself known."""
    return f"flow-operator-replica-{sha256(identity.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Lease:
    """One of ours."""

    name: str
    version: str
    holder: str
    """Empty when it was given back."""
    seconds: float
    """How long after its last renewal it is over."""
    shards: int
    """Into how many shards its holder divides the runs."""
    shard: int | None
    """None: it is that of a replica."""
    document: Object


def read(document: Object) -> Lease | None:
    """A lease as the API server has it; None if it is none of ours."""
    metadata, spec = document["metadata"], document.get("spec") or {}
    found = _NAME.fullmatch(metadata["name"])
    if found is None:
        return None
    label = (metadata.get("labels") or {}).get(SHARDS_LABEL, "1")
    shard = 0 if found[0] == FIRST else None
    return Lease(
        name=metadata["name"],
        version=metadata["resourceVersion"],
        holder=spec.get("holderIdentity") or "",
        seconds=float(spec.get("leaseDurationSeconds") or 0),
        shards=int(found["shards"] or (label if label.isdecimal() else 1)),
        shard=int(found["shard"]) if found["shard"] else shard,
        document=document,
    )


class Sightings:
    """Since when each lease has stood unchanged, as seen from here, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, float]] = {}

    def note(self, leases: Iterable[Lease], at: float) -> None:
        """These are all, as of this moment."""
        seen = self._seen
        self._seen = {
            each.name: seen[each.name] if seen.get(each.name, ("",))[0] == each.version else (each.version, at)
            for each in leases
        }

    def age(self, lease: Lease, at: float) -> float:
        """How long it has not been renewed."""
        return at - self._seen[lease.name][1]


@dataclass(frozen=True, slots=True)
class Facts:
    """What one replica sees."""

    me: str
    shards: int
    leases: Mapping[str, Lease]
    """By name."""
    live: Collection[str]
    """Names of those that are held, and not over."""

    @property
    def in_force(self) -> int | None:
        """The number of shards that counts; None before anybody has said so."""
        first = self.leases.get(FIRST)
        return None if first is None else first.shards

    @property
    def others_act(self) -> bool:
        """Whether somebody acts, or may act, for shards of another number."""
        held = (self.leases[name] for name in self.live)
        return any(
            lease.shard is not None and lease.shards != self.shards and lease.holder != self.me for lease in held
        )

    @property
    def is_outvoted(self) -> bool:
        """Another number of shards counts."""
        return self.in_force not in (self.shards, None)

    @property
    def may_begin(self) -> bool:
        """Whether a shard that is held by now may be acted for."""
        return self.in_force == self.shards and not self.others_act

    def is_mine(self, shard: int) -> bool:
        """Whether the lease of the shard names this replica."""
        lease = self.leases.get(shard_lease(shard, self.shards))
        return lease is not None and (lease.holder, lease.shards) == (self.me, self.shards)

    def unused(self) -> list[Lease]:
        """Leases of replicas that are gone, and of shards of a number that does not count any more."""
        return [
            lease
            for name, lease in self.leases.items()
            if name not in self.live and (lease.shard is None or lease.shards != self.shards)
        ]

    def to_take(self) -> set[int]:
        """The shards that are free, or this replica's from before a restart, and ought to be its own."""
        if self.others_act:
            return set()
        there = range(self.shards) if self.in_force == self.shards else (0,)
        owned = self._owners()
        return {shard for shard in there if owned[shard] == self.me and self._is_free(shard)}

    def to_give(self, mine: Collection[int]) -> set[int]:
        """Those of my shards that ought to be another's."""
        if self.is_outvoted:
            return set(mine)
        owned = self._owners()
        return {shard for shard in mine if owned[shard] != self.me}

    def _owners(self) -> dict[int, str]:
        mine = [lease for name, lease in self.leases.items() if name in self.live and lease.shards == self.shards]
        holders = {lease.shard: lease.holder for lease in mine if lease.shard is not None}
        replicas = {lease.holder for lease in mine if lease.shard is None or self.shards == 1}
        return owners(replicas | {self.me}, holders, self.shards)

    def _is_free(self, shard: int) -> bool:
        name = shard_lease(shard, self.shards)
        return name not in self.live or self.leases[name].holder == self.me
