"""Several operators over one shop, told apart by the leases that they hold."""

import time
from collections import Counter
from collections.abc import Callable

from tests.controlplane import eventually
from tests.e2e.operator import Operator
from tests.e2e.shop import Shop

SLACK = 8.0
"""What a busy machine may add to the lease's duration."""
LONG = 60.0
"""Seconds of a lease that no busy machine lets end: whatever changes hands then was given."""
LONG_LEASE = {"FLOW_LEASE_DURATION": f"{LONG:g}s"}


class Replicas:
    """The operators of a shop that are alive, each with the same number of shards."""

    def __init__(self, shop: Shop, *, shards: int = 4, duration: float = 3.0) -> None:
        """With leases of so many seconds: short ones to see how they end, long ones that no busy machine lets end."""
        self.shop = shop
        self.shards = shards
        self.duration = duration
        self.alive: dict[str, Operator] = {}

    def hire(self, *identities: str) -> None:
        """Start these, and wait until they have shared the shards with all others."""
        settings = {"FLOW_SHARDS": str(self.shards), "FLOW_LEASE_DURATION": f"{self.duration:g}s"}
        for identity in identities:
            self.alive[identity] = self.shop.hire(identity, **settings)
        self.until_shared()

    def holders(self) -> Counter[str]:
        """How many shards each replica holds, by what the leases say; those given back are held by ''."""
        leases = {each["metadata"]["name"]: each for each in self.shop.kube.list("leases", self.shop.namespace)}
        names = ("flow-operator-0", *(f"flow-operator-{self.shards}-{shard}" for shard in range(1, self.shards)))
        return Counter(leases[name]["spec"]["holderIdentity"] if name in leases else "" for name in names)

    def are_shared(self) -> bool:
        """Whether each replica that is alive has its share, knows it, and nobody else has any."""
        share, odd = divmod(self.shards, len(self.alive))
        sizes = [share + 1] * odd + [share] * (len(self.alive) - odd)
        held = self.holders()
        return (
            sorted(held[identity] for identity in self.alive) == sorted(sizes)
            and sum(held[identity] for identity in self.alive) == self.shards
            and all(held_by(operator) == held[identity] for identity, operator in self.alive.items())
        )

    def until_shared(self) -> None:
        """Wait until they are."""
        eventually(self.are_shared, within=30 + SLACK, what=f"the shards shared among {', '.join(self.alive)}")

    def takeover(self, victim: str, meanwhile: Callable[[], None] = lambda: None) -> float:
        """Seconds until others hold all that the victim held; `meanwhile` is done again and again."""
        self.alive.pop(victim)
        began = time.monotonic()

        def taken_over() -> bool:
            meanwhile()
            held = self.holders()
            return not held[victim] and not held[""]

        eventually(taken_over, within=self.duration + SLACK, what=f"the shards of {victim} taken over")
        return time.monotonic() - began


def held_by(operator: Operator) -> int:
    """How many shards an operator says that it holds."""
    lines = operator.get("/metrics").splitlines()
    return int(next(float(line.split()[1]) for line in lines if line.startswith("flow_shards_held ")))


def runs_counted(operator: Operator) -> int:
    """How many runs an operator counts as its own."""
    lines = operator.get("/metrics").splitlines()
    return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith("flow_runs{"))
