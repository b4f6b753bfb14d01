"""Requests of a run or a definition, counted by kind as they pass; and those at which it is held."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from tests.e2e.proxy import Fault, Hold, Passing


class Kind(StrEnum):
    """What the operator sends on behalf of a run or a definition; each kind in an order that is repeated."""

    STATUS = "write of its status"
    COMMAND = "removal of a command"
    REVISION = "creation of its revision"
    EVENT = "event"
    CALL = "call"
    DEFINITION = "write of the status of a definition"


WORKFLOW_LABEL = "flow.unistack.org/workflow"


@dataclass(frozen=True, slots=True)
class Point:
    """The n-th request of a kind; before it is passed on, or when it was acted upon and nobody knows."""

    kind: Kind
    number: int
    answer: bool

    @property
    def leaves_work(self) -> bool:
        """Whether who dies here surely leaves something to write or to call."""
        return self.kind is Kind.CALL or (self.kind is not Kind.EVENT and not self.answer)

    def __str__(self) -> str:
        return f"{'after' if self.answer else 'before'} {self.kind} {self.number}"


class Failpoints:
    """A rule of proxies: counts, and holds. Runs go by their name, definitions by plural and name: `steps/charge`."""

    def __init__(self) -> None:
        self._passed: Counter[tuple[str, Kind]] = Counter()
        self._holds: dict[tuple[str, Kind, int], Hold] = {}
        self._next: dict[str, Hold] = {}

    def hold(self, run: str, point: Point) -> None:
        """Hold a run at a point."""
        self._holds[run, point.kind, point.number] = Hold(answer=point.answer)

    def hold_next(self, run: str, *, answer: bool) -> None:
        """Hold a run at whatever it sends next, an event aside: a run does not wait for those."""
        self._next[run] = Hold(answer=answer)

    def is_held(self, run: str) -> bool:
        """Whether a run is held now."""
        return any(hold.holds for (name, _, _), hold in self._holds.items() if name == run)

    def passed(self, run: str) -> dict[Kind, int]:
        """How many requests of each kind a run has made."""
        return {kind: self._passed[run, kind] for kind in Kind if self._passed[run, kind]}

    def __call__(self, passing: Passing) -> Fault | None:
        found = _subject(passing)
        if found is None:
            return None
        self._passed[found] += 1
        run, kind = found
        at = (run, kind, self._passed[found])
        if run in self._next and kind is not Kind.EVENT:
            self._holds[at] = self._next.pop(run)
        return self._holds.get(at)


def _subject(passing: Passing) -> tuple[str, Kind] | None:
    """What a request is about; of a revision, the workflow, which is called like its run if that matters."""
    if "X-Flow-Execution" in passing.header:
        return passing.header["X-Flow-Execution"].partition("/")[2], Kind.CALL
    match passing.method, passing.resource:
        case "PUT", "workflowexecutions" if passing.is_status:
            return passing.name, Kind.STATUS
        case "PUT", "workflows" | "steps" if passing.is_status:
            return f"{passing.resource}/{passing.name}", Kind.DEFINITION
        case "PATCH", "workflowexecutions":
            return passing.name, Kind.COMMAND
        case "POST", "controllerrevisions":
            return passing.document["metadata"]["labels"][WORKFLOW_LABEL], Kind.REVISION
        case "POST", "events":
            return passing.document["involvedObject"]["name"], Kind.EVENT
    return None
