"""Which replica ought to hold which shard. Pure, so that all replicas come to the same from the same facts."""

from collections.abc import Collection, Mapping


def owners(replicas: Collection[str], holders: Mapping[int, str], shards: int) -> dict[int, str]:
    """The replica that each shard ought to belong to, with as few moves as a fair share allows.

    Every replica gets as many shards as any other, or one more; the odd ones stay with those that hold most already.
    `holders` are those of the moment; a holder that is none of the replicas is on its way out. `replicas` is not empty.
    """
    held = {replica: [n for n in range(shards) if holders.get(n) == replica] for replica in sorted(replicas)}
    share, odd = divmod(shards, len(held))
    richest = sorted(held, key=lambda replica: -len(held[replica]))[:odd]
    most = {replica: share + (replica in richest) for replica in held}
    owned = {shard: replica for replica in held for shard in held[replica][: most[replica]]}
    left = (shard for shard in range(shards) if shard not in set(owned))
    wanting = [replica for replica in held for _ in range(most[replica] - len(held[replica]))]
    return owned | dict(zip(left, wanting, strict=True))
