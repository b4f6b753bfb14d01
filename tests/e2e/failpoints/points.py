"""Requests of a run, counted by kind as they pass; and those at which a run is held."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from tests.e2e.proxy import Fault, Hold, Passing


class Kind(StrEnum):
    """What the operator sends on behalf of a run; each kind in an order that a run repeats."""

    STATUS = "write of its status"
    COMMAND = "removal of a command"
    REVISION = "creation of its revision"
    EVENT = "event"
    CALL = "call"


WORKFLOW_LABEL = "flow.unistack.org/workflow"


@dataclass(frozen=True, slots=True)
class Point:
    """The n-th request of a kind; before it is passed on, or when it was acted upon and nobody knows."""

    kind: Kind
    number: int
    answer: bool

    def __str__(self) -> str:
        return f"{'after' if self.answer else 'before'} {self.kind} {self.number}"


class Failpoints:
    """A rule of proxies: counts, and holds."""

    def __init__(self) -> None:
        self._passed: Counter[tuple[str, Kind]] = Counter()
        self._holds: dict[tuple[str, Kind, int], Hold] = {}

    def hold(self, run: str, point: Point) -> None:
        """Hold a run at a point."""
        self._holds[run, point.kind, point.number] = Hold(answer=point.answer)

    def is_held(self, run: str) -> bool:
        """Whether a run is held now."""
        return any(hold.holds for (name, _, _), hold in self._holds.items() if name == run)

    def passed(self, run: str) -> dict[Kind, int]:
        """How many requests of each kind a run has made."""
        return {kind: self._passed[run, kind] for kind in Kind if self._passed[run, kind]}

    def __call__(self, passing: Passing) -> Fault | None:
        found = _of_run(passing)
        if found is None:
            return None
        self._passed[found] += 1
        return self._holds.get((*found, self._passed[found]))


def _of_run(passing: Passing) -> tuple[str, Kind] | None:
    """The run that a request is about; of a revision, the workflow, which is called like its run if that matters."""
    if "X-Flow-Execution" in passing.header:
        return passing.header["X-Flow-Execution"].partition("/")[2], Kind.CALL
    match passing.method, passing.resource:
        case "PUT", "workflowexecutions" if passing.is_status:
            return passing.name, Kind.STATUS
        case "PATCH", "workflowexecutions":
            return passing.name, Kind.COMMAND
        case "POST", "controllerrevisions":
            return passing.document["metadata"]["labels"][WORKFLOW_LABEL], Kind.REVISION
        case "POST", "events":
            return passing.document["involvedObject"]["name"], Kind.EVENT
    return None
