"""Whose turn it is to be looked at: the namespaces take turns, and within one who came first goes first.

So a namespace with ten thousand runs is no reason for the others to wait.
"""

from collections import OrderedDict
from collections.abc import Callable

from flow_operator.reconciler.entry import Entry


class Turns:
    """The runs that somebody ought to look at, each once."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, OrderedDict[str, tuple[Entry, float]]] = OrderedDict()
        """By namespace, the one whose turn it is first; by name, with the moment since when each waits."""

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def add(self, entry: Entry, now: float) -> None:
        """This run waits for its turn from now on, if it does not do so already."""
        self._lines.setdefault(entry.namespace, OrderedDict()).setdefault(entry.name, (entry, now))

    def discard(self, entry: Entry) -> None:
        """This run waits no more."""
        line = self._lines.get(entry.namespace, OrderedDict())
        if entry.name in line and line[entry.name][0] is entry:
            del line[entry.name]
            if not line:
                del self._lines[entry.namespace]

    def next(self, has_room: Callable[[str], bool] = lambda _: True) -> Entry | None:
        """Who is looked at now, and does not wait any more; None when nobody waits in a namespace that has room."""
        namespace = next(filter(has_room, self._lines), None)
        if namespace is None:
            return None
        line = self._lines.pop(namespace)
        _, (entry, _) = line.popitem(last=False)
        if line:
            self._lines[namespace] = line
        return entry

    def longest(self, now: float) -> float:
        """How many seconds the first of them has waited; 0 if nobody waits."""
        firsts = (next(iter(line.values())) for line in self._lines.values())
        return max((now - since for _, since in firsts), default=0.0)
