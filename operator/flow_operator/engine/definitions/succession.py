"""Which steps come after which, as bits of an integer: what is asked about 200 steps is answered in a few words."""

from collections.abc import Iterable

from flow_operator.engine.definitions.graph import Dag


class Succession:
    """For each id, the ids that come after it: computed once, for any number of plans."""

    def __init__(self, dag: Dag) -> None:
        self._order = dag.order
        self._bit = {id: 1 << place for place, id in enumerate(dag.order)}
        self._after = dict.fromkeys(dag.order, 0)
        for id, ancestors in dag.ancestors.items():
            for ancestor in ancestors:
                self._after[ancestor] |= self._bit[id]

    def bits(self, ids: Iterable[str]) -> int:
        """A set of ids."""
        return sum(map(self._bit.__getitem__, ids))

    def any_after(self, id: str, among: int) -> bool:
        """Whether one of these comes after `id`."""
        return self._after[id] & among != 0

    def nearest(self, id: str, among: int) -> list[str]:
        """Those of `among` that come after `id` with none of them between.

        The lowest bit is the first in the order, so none that is left is between; whatever comes after it is not near.
        """
        found = []
        left = self._after[id] & among
        while left:
            lowest = left & -left
            near = self._order[lowest.bit_length() - 1]
            found.append(near)
            left &= ~(lowest | self._after[near])
        return found
