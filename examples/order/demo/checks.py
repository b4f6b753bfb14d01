"""Does what the services wrote down match what should have happened? Pure: journals in, differences out.

Nothing here trusts the operator: the calls come from the services' journals, the order from the workflow's YAML.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from examples.order.services import Did, Entry

Calls = Mapping[str, str]
"""By step, what its calls did, in their order: `{"charge": "failed, failed, applied"}`."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How a run should have ended, and what the services should have seen of it."""

    phase: str
    compensation: str
    done: Calls
    undone: Calls
    steps: Mapping[str, str]
    """By step, its phase and effect where they matter: `{"charge": "Failure/Unknown"}`."""


class Graph:
    """What depends on what, from the steps of a Workflow."""

    def __init__(self, steps: Iterable[Mapping[str, Any]]) -> None:
        self._requires: dict[str, set[str]] = defaultdict(set)
        fallbacks: list[tuple[str, str]] = []
        for step in steps:
            self._requires[step["id"]] |= set(step.get("requires", ()))
            if "fallback" in step:
                fallbacks.append((step["id"], step["fallback"]))
        # A fallback comes after its owner, and before whatever requires the owner.
        for owner, fallback in fallbacks:
            for required in self._requires.values():
                if owner in required:
                    required.add(fallback)
            self._requires[fallback].add(owner)

    def ancestors(self, step: str) -> set[str]:
        """Every step that must be done before this one, however far back."""
        return {far for near in self._requires[step] for far in {near} | self.ancestors(near)}


def differences(expected: Expected, status: Mapping[str, Any], calls: Sequence[Entry], graph: Graph) -> list[str]:
    """Everything about one run that is not as it should be, in words."""
    return [
        *_end(expected, status),
        *_calls("do", expected.done, calls),
        *_calls("undo", expected.undone, calls),
        *_keys(calls),
        *_order(calls, graph),
    ]


def _end(expected: Expected, status: Mapping[str, Any]) -> Iterator[str]:
    compensation = status.get("compensation", {}).get("phase", "absent")
    if (status.get("phase"), compensation) != (expected.phase, expected.compensation):
        wanted = f"{expected.phase}, compensation {expected.compensation}"
        yield f"it ended as {status.get('phase')}, compensation {compensation}, and not as {wanted}"
    found = {step["id"]: f"{step['phase']}/{step.get('effect', 'None')}" for step in status.get("steps", ())}
    for step, wanted in expected.steps.items():
        if found.get(step) != wanted:
            yield f"step {step} ended as {found.get(step)}, and not as {wanted}"


def _calls(operation: str, expected: Calls, calls: Sequence[Entry]) -> Iterator[str]:
    found: dict[str, list[str]] = defaultdict(list)
    for call in calls:
        if call.operation == operation:
            found[call.step].append(call.did)
    for step in sorted(found.keys() | expected.keys()):
        wanted, seen = expected.get(step, "no call"), ", ".join(found[step]) or "no call"
        if wanted != seen:
            yield f"{operation} {step}: {seen}, and not {wanted}"


def _keys(calls: Sequence[Entry]) -> Iterator[str]:
    """One effect per key, one key per step and direction, one body per key."""
    effects: dict[str, int] = defaultdict(int)
    keys: dict[str, set[str]] = defaultdict(set)
    bodies: dict[str, set[str]] = defaultdict(set)
    for call in calls:
        effects[call.key] += call.did is Did.APPLIED
        keys[f"{call.operation} {call.step}"].add(call.key)
        bodies[call.key].add(call.digest)
    yield from (f"{count} effects under the key {key}" for key, count in effects.items() if count > 1)
    yield from (f"{what} was called under {len(found)} keys" for what, found in keys.items() if len(found) > 1)
    yield from (f"{len(found)} bodies under the key {key}" for key, found in bodies.items() if len(found) > 1)


def _order(calls: Sequence[Entry], graph: Graph) -> Iterator[str]:
    """A step comes after all that it depends on; its undo comes after theirs that depend on it."""
    done, undone = _span("do", calls), _span("undo", calls)
    for step, (first, _) in done.items():
        for before in graph.ancestors(step) & done.keys():
            if done[before][1] > first:
                yield f"{step} was called before {before} was done"
    for step, (_, last) in undone.items():
        for before in graph.ancestors(step) & undone.keys():
            if undone[before][0] < last:
                yield f"{before} was undone before {step}, which depends on it"
    if undone and done and min(first for first, _ in undone.values()) < max(last for _, last in done.values()):
        yield "something was undone while something was still being done"


def _span(operation: str, calls: Sequence[Entry]) -> dict[str, tuple[str, str]]:
    """By step, the times of its first and of its last call."""
    spans: dict[str, tuple[str, str]] = {}
    for call in calls:
        if call.operation == operation:
            first, _ = spans.get(call.step, (call.time, call.time))
            spans[call.step] = (first, call.time)
    return spans
