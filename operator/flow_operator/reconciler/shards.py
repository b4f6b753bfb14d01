"""Which runs and definitions are this process's to act on.

Every object belongs to one shard, for good: a function of its uid. A replica acts for the shards whose lease it holds,
and each shard can begin, drain and end for itself.
"""

from collections.abc import Callable, Collection
from zlib import crc32


def shard_of(uid: str, shards: int) -> int:
    """The shard of an object: the CRC-32 of its uid, modulo the number of shards. Every replica has to agree on it."""
    return crc32(uid.encode()) % shards


class Shards:
    """The shards that this process acts for, and those of them that are about to be given away."""

    def __init__(self, count: int, is_held: Callable[[int], bool]) -> None:
        """`is_held` tells whether the lease of a shard is held at this very moment."""
        self._count = count
        self._is_held = is_held
        self._acting: set[int] = set()
        self._draining: set[int] = set()

    def start(self, shards: Collection[int]) -> None:
        """Act for these, also if they were about to be given away."""
        self._acting.update(shards)
        self._draining.difference_update(shards)

    def drain(self, shards: Collection[int]) -> None:
        """Begin nothing new for these."""
        self._draining.update(shards)

    def stop(self, shards: Collection[int]) -> None:
        """Act for these no more."""
        self._acting.difference_update(shards)
        self._draining.difference_update(shards)

    def among(self, uid: str, shards: Collection[int]) -> bool:
        """Whether the object belongs to one of these shards."""
        return shard_of(uid, self._count) in shards

    def is_acting(self, uid: str) -> bool:
        """Whether this process is the one that acts for the object, as far as it was told."""
        return self.among(uid, self._acting)

    def is_draining(self, uid: str) -> bool:
        """No new attempt; what is in flight is stored when it ends."""
        return self.among(uid, self._draining)

    def may_act(self, uid: str) -> bool:
        """Whether the lease is held, asked right before anything is sent or written."""
        shard = shard_of(uid, self._count)
        return shard in self._acting and self._is_held(shard)
