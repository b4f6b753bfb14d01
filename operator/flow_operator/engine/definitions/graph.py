"""A directed acyclic graph of step ids. It knows nothing of HTTP, messages or status.

An edge says "must be done before". A fallback has its owner as its only parent: it comes after its owner, and whatever
requires the owner comes after the fallback as well.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import chain


@dataclass(frozen=True, slots=True)
class Node:
    """A step as the graph sees it."""

    id: str
    requires: tuple[str, ...] = ()
    fallback: str | None = None


class Cycle(Exception):
    """The steps wait for each other. `path` names them in order, the first again at the end."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(" → ".join(path))
        self.path = path


@dataclass(frozen=True, slots=True)
class Dag:
    """The order of steps, precomputed. Ids that name no node are left out."""

    order: tuple[str, ...]
    """Every id after all that are before it, fallbacks included; among equals in the order in which they were given."""
    owner: Mapping[str, str]
    """Fallback id → id of the step that it stands in for."""
    fallback: Mapping[str, str]
    """Owner id → id of its fallback."""
    parents: Mapping[str, tuple[str, ...]]
    """Id → the ids it requires; for a fallback none: it takes its owner's place."""
    ancestors: Mapping[str, frozenset[str]]
    """Id → every id that can have ended before it starts, fallbacks of ancestors included."""
    leaves: tuple[str, ...]
    """Ids that nothing requires and that are nobody's fallback."""
    levels: tuple[tuple[str, ...], ...]
    """Ids by level: one below the deepest parent; a fallback one below its owner."""


def dag(nodes: Iterable[Node]) -> Dag:
    """The order of these steps. Raises Cycle when they wait for each other."""
    by_id = {node.id: node for node in nodes}
    fallback, owner, parents, before = _fallbacks(by_id), _owners(by_id), _parents(by_id), _before(by_id)
    order = _sorted(_waits_for(by_id))
    ancestors = _ancestors(order, before, fallback)
    required = set(chain.from_iterable(parents.values()))
    return Dag(
        order=order,
        owner=owner,
        fallback=fallback,
        parents=parents,
        ancestors=ancestors,
        leaves=tuple(id for id in by_id if id not in required and id not in owner),
        levels=_levels(order, before, tuple(by_id)),
    )


def cycles(nodes: Iterable[Node]) -> Iterator[Cycle]:
    """Circles in which these steps wait for each other; none has a step of another."""
    before = _waits_for({node.id: node for node in nodes})
    while True:
        try:
            _sorted(before)
        except Cycle as cycle:
            yield cycle
            told = set(cycle.path)
            before = {id: tuple(to for to in ids if to not in told) for id, ids in before.items() if id not in told}
        else:
            return


def ancestors(nodes: Iterable[Node]) -> Mapping[str, frozenset[str]]:
    """`Dag.ancestors`, and if some steps wait for each other, what it would be but for that."""
    given = tuple(nodes)
    try:
        return dag(given).ancestors
    except Cycle:
        return reach(given)


def reach(nodes: Iterable[Node]) -> dict[str, frozenset[str]]:
    """By walking from each step, which ends in circles too."""
    before = {id: set(ids) for id, ids in _waits_for({node.id: node for node in nodes}).items()}

    def walk(start: str) -> frozenset[str]:
        found: set[str] = set()
        ahead = [start]
        while ahead:
            new = before[ahead.pop()] - found
            found |= new
            ahead += new
        return frozenset(found)

    return {id: walk(id) for id in before}


def _fallbacks(by_id: Mapping[str, Node]) -> dict[str, str]:
    return {node.id: node.fallback for node in by_id.values() if node.fallback in by_id and node.fallback}


def _owners(by_id: Mapping[str, Node]) -> dict[str, str]:
    return {to: of for of, to in _fallbacks(by_id).items()}


def _parents(by_id: Mapping[str, Node]) -> dict[str, tuple[str, ...]]:
    return {id: tuple(to for to in node.requires if to in by_id) for id, node in by_id.items()}


def _before(by_id: Mapping[str, Node]) -> dict[str, tuple[str, ...]]:
    """Id → its parents and its owner."""
    owner = _owners(by_id)
    return {id: (*parents, *((owner[id],) if id in owner else ())) for id, parents in _parents(by_id).items()}


def _waits_for(by_id: Mapping[str, Node]) -> dict[str, tuple[str, ...]]:
    """Id → every id that must have ended before it starts: the same, and what stands in for its parents."""
    fallback, before = _fallbacks(by_id), _before(by_id)
    owned = {id: [to for to in node.requires if to in fallback] for id, node in by_id.items()}
    stand_ins = {id: [each for to in owned[id] for each in _stand_ins(to, fallback) if each != id] for id in by_id}
    return {id: (*before[id], *stand_ins[id]) for id in by_id}


def _stand_ins(id: str, fallback: Mapping[str, str]) -> tuple[str, ...]:
    """The fallback of a step, that fallback's own, and so on."""
    found: list[str] = []
    while id in fallback and fallback[id] not in found:
        id = fallback[id]
        found.append(id)
    return tuple(found)


def _sorted(before: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    try:
        return tuple(TopologicalSorter(before).static_order())
    except CycleError as error:
        raise Cycle(tuple(reversed(error.args[1]))) from None


def _ancestors(
    order: tuple[str, ...], before: Mapping[str, tuple[str, ...]], fallback: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """Whoever requires an owner comes after its fallbacks too, so these are ancestors as well."""
    found: dict[str, frozenset[str]] = {}
    for id in order:
        own = set(before[id]).union(*map(found.__getitem__, before[id]))
        for parent in fallback.keys() & before[id]:
            if fallback[parent] != id:
                own.update(_stand_ins(parent, fallback))
        found[id] = frozenset(own - {id})
    return found


def _levels(
    order: tuple[str, ...], before: Mapping[str, tuple[str, ...]], given: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    depth: dict[str, int] = {}
    for id in order:
        depth[id] = 1 + max((depth[parent] for parent in before[id]), default=-1)
    return tuple(
        tuple(id for id in given if depth[id] == level) for level in range(1 + max(depth.values(), default=-1))
    )
