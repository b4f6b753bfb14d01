"""Every small workflow, each once: those that differ only in the names of their steps are one and the same.

A step is told by its place; its id is the letter of that place. Parents have smaller places than their children.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, permutations, product
from typing import Any

IDS = "abcdefgh"


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a workflow."""

    requires: tuple[int, ...] = ()
    accepts: tuple[int, ...] = ()
    """Those of `requires` that may be skipped (acceptSkipped)."""
    fallback: int | None = None
    undo: bool = False
    skipped: bool = False
    """`when` is false. True would be the same as no `when`."""
    broken: bool = False
    """Its request cannot be built, so it fails without being called."""
    broken_undo: bool = False
    """The request of its undo cannot be built, so that parks without being called."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What goes for all steps of a workflow."""

    retries: int = 0
    undo_retries: int = 0
    mode: str = "Auto"
    run: str | None = None
    """timeout.run: shorter than two back-offs, longer than one."""
    total: str | None = None
    """timeout.total of each step: shorter than a back-off."""


Graph = tuple[Part, ...]
READS = {
    "error": "${{'step': error.?step.orValue('none'), 'why': error.?message.orValue('')}}",
    "effect": "${steps.self.effect}",
}
"""What every second undo is sent; the others get the default message. Both must stay the same between attempts."""
WRONG = "${1 / 0}"
BACKOFF = {"duration": "2s", "factor": 1.0, "jitter": 0}


PLAIN = (Part(), Part(undo=True), Part(skipped=True), Part(skipped=True, undo=True))
BROKEN = (*PLAIN, Part(broken=True), Part(undo=True, broken_undo=True))
"""Kinds of steps. One that cannot be built has had no effect, so whether it could be undone is the same."""


def graphs(size: int, kinds: Iterable[Part] = PLAIN) -> Iterator[Graph]:
    """Every workflow of this many steps of these kinds."""
    seen = set()
    for shape in _shapes(size):
        for chosen in product(kinds, repeat=size):
            marked = [
                replace(kind, requires=part.requires, fallback=part.fallback)
                for part, kind in zip(shape, chosen, strict=True)
            ]
            for graph in _accepting(tuple(marked)):
                name = canonical(graph)
                if name not in seen:
                    seen.add(name)
                    yield graph


def _shapes(size: int) -> Iterator[Graph]:
    """Every choice of edges and of fallbacks. A fallback requires nothing, and nothing requires it."""
    for fallbacks in product((None, *range(size)), repeat=size):
        to = [each for each in fallbacks if each is not None]
        if len(set(to)) < len(to) or any(each is not None and each <= owner for owner, each in enumerate(fallbacks)):
            continue
        free = [place for place in range(size) if place not in to]
        pairs = list(combinations(free, 2))
        for chosen in product((False, True), repeat=len(pairs)):
            edges = [pair for pair, taken in zip(pairs, chosen, strict=True) if taken]
            yield tuple(
                Part(requires=tuple(parent for parent, child in edges if child == place), fallback=fallbacks[place])
                for place in range(size)
            )


def _accepting(graph: Graph) -> Iterator[Graph]:
    """Every choice of `acceptSkipped` among the parents that can be skipped at all."""
    choices: list[tuple[tuple[int, ...], ...]] = []
    for part in graph:
        can = [parent for parent in part.requires if _skippable(graph, parent)]
        choices.append(tuple(each for size in range(len(can) + 1) for each in combinations(can, size)))
    for accepted in product(*choices):
        yield tuple(replace(part, accepts=accepts) for part, accepts in zip(graph, accepted, strict=True))


def _skippable(graph: Graph, place: int) -> bool:
    return graph[place].skipped or any(_skippable(graph, parent) for parent in graph[place].requires)


def canonical(graph: Graph) -> tuple[Any, ...]:
    """The same for graphs that differ in the names of their steps only."""
    return min(renamed(graph, order) for order in permutations(range(len(graph))))


def renamed(graph: Graph, order: tuple[int, ...]) -> tuple[Any, ...]:
    """The graph as a value that can be compared, with place i called order[i]."""
    parts: list[Any] = [None] * len(graph)
    for place, part in enumerate(graph):
        parts[order[place]] = (
            tuple(sorted(order[each] for each in part.requires)),
            tuple(sorted(order[each] for each in part.accepts)),
            -1 if part.fallback is None else order[part.fallback],
            (part.undo, part.skipped, part.broken, part.broken_undo),
        )
    return tuple(parts)


def symmetries(graph: Graph, *, backwards: bool = False) -> tuple[tuple[int, ...], ...]:
    """Every way to rename the steps that gives the same workflow again, as positions in the list of its steps."""
    same = renamed(graph, tuple(range(len(graph))))
    found = (order for order in permutations(range(len(graph))) if renamed(graph, order) == same)
    if backwards:
        last = len(graph) - 1
        found = (tuple(last - each for each in order[::-1]) for order in found)
    return tuple(found)


def workflow(graph: Graph, policy: Policy, *, backwards: bool = False, alike: bool = False) -> dict[str, Any]:
    """The spec of this Workflow; `backwards` lists children before their parents, `alike` gives all undos the same
    message, so that steps that are wired alike can be interchanged."""
    steps = [_step(IDS[place], part, policy, READS if alike or place % 2 else None) for place, part in enumerate(graph)]
    spec: dict[str, Any] = {"steps": steps[::-1] if backwards else steps}
    if policy.mode != "Auto":
        spec["compensation"] = {"mode": policy.mode}
    return spec | ({"timeout": {"run": policy.run}} if policy.run else {})


def _step(id: str, part: Part, policy: Policy, undo_body: dict[str, str] | None) -> dict[str, Any]:
    step: dict[str, Any] = {"id": id, "endpoint": {"url": f"http://{id}/do"}}
    step |= {"requires": [IDS[each] for each in part.requires]} if part.requires else {}
    step |= {"acceptSkipped": [IDS[each] for each in part.accepts]} if part.accepts else {}
    step |= {"when": "false"} if part.skipped else {}
    step |= {"input": {"body": WRONG}} if part.broken else {}
    step |= {"fallback": IDS[part.fallback]} if part.fallback is not None else {}
    step |= {"timeout": {"total": policy.total}} if policy.total else {}
    step["retry"] = _retry(policy.retries)
    if part.undo:
        undo: dict[str, Any] = {"endpoint": {"url": f"http://{id}/undo"}, "retry": _retry(policy.undo_retries)}
        undo |= {"input": {"body": undo_body}} if undo_body else {}
        step["compensate"] = undo | ({"input": {"body": WRONG}} if part.broken_undo else {})
    return step


def _retry(limit: int) -> dict[str, Any]:
    return {"limit": limit, "backoff": BACKOFF} if limit else {"limit": 0}
