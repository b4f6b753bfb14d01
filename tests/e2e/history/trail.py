"""What is known of a run from the outside: the writes of its status and the calls that services received.

The writes come from the API server's audit log, the calls from the services' own journals, and the graph from the
revision that the run was pinned to. None of it is asked of the operator.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from examples.order.services import Entry
from tests.controlplane.audit import Event

Document = Mapping[str, Any]

RUNS = "workflowexecutions"


@dataclass(frozen=True, slots=True)
class Write:
    """A status that was stored."""

    time: datetime
    """When the API server had received it: the earliest moment at which it can have been stored."""
    version: int
    """The resourceVersion that it made."""
    status: Document
    after_gap: bool = False
    """It was made from a version that no write in the log had made: a write before it is missing there."""

    def step(self, id: str) -> Document:
        """The status of a step; empty if the run has not listed its steps."""
        return next((step for step in self.status.get("steps", ()) if step["id"] == id), {})

    def call(self, id: str, operation: str) -> Document:
        """The status of doing or undoing a step; empty if it has not begun."""
        step = self.step(id)
        return step if operation == "do" else step.get("compensation", {})

    def effect(self, id: str) -> str:
        """What the step may have done."""
        return str(self.step(id).get("effect", "None"))

    def is_undone(self, id: str) -> bool:
        """Whether the undo of a step is stored as done."""
        return bool(self.call(id, "undo").get("phase") == "Success")

    @property
    def compensation(self) -> str | None:
        """Phase of the backward part."""
        phase: str | None = self.status.get("compensation", {}).get("phase")
        return phase

    @property
    def has_ended(self) -> bool:
        """Whether the run has ended by now."""
        return "completionTime" in self.status


NOTHING_YET = Write(datetime.min.replace(tzinfo=UTC), 0, {})


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that is known of one run."""

    name: str
    """Namespace and name, as services are told."""
    uid: str
    writes: Sequence[Write]
    """In the order in which they were stored."""
    calls: Sequence[Entry]
    """In the order of time."""
    steps: Sequence[Document] = ()
    """The steps of the definition that it was pinned to."""

    def first_attempt(self, step: str, operation: str) -> Write | None:
        """The write that recorded it."""
        return next((write for write in self.writes if write.call(step, operation).get("attempts", 0) > 0), None)

    def to_be_undone(self, write: Write) -> list[str]:
        """Steps that have an undo and may have had an effect by then."""
        return [step["id"] for step in self.steps if "compensate" in step and write.effect(step["id"]) != "None"]

    def calls_of(self, step: str, operation: str) -> Iterator[Entry]:
        """The calls that did, or undid, a step."""
        return (call for call in self.calls if (call.step, call.operation) == (step, operation))

    def highest_generation(self, step: str, operation: str) -> int:
        """How often a person has allowed a new key."""
        return max((write.call(step, operation).get("generation", 0) for write in self.writes), default=0)


def named(call: Entry) -> str:
    """A call in words."""
    return f"{call.operation} {call.step} #{call.attempt}"


def time_of(call: Entry) -> datetime:
    """When the service received the call."""
    return datetime.fromisoformat(call.time)


def runs(events: Iterable[Event], calls: Iterable[Entry], definitions: Mapping[str, Sequence[Document]]) -> list[Run]:
    """Every run that the audit log tells of; `definitions` are steps by the name of their revision."""
    changes: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if _changed_a_run(event):
            changes[event["responseObject"]["metadata"]["uid"]].append(event)
    received: dict[str, list[Entry]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.time):
        received[call.key.partition("/")[0]].append(call)
    return [_run(uid, sorted(found, key=_version), received[uid], definitions) for uid, found in changes.items()]


def _run(
    uid: str, events: Sequence[Event], calls: Sequence[Entry], definitions: Mapping[str, Sequence[Document]]
) -> Run:
    writes: list[Write] = []
    known: set[int] = set()
    for event in events:
        if event["verb"] == "update" and event["objectRef"].get("subresource") == "status":
            sent = event["requestObject"]
            gap = int(sent["metadata"]["resourceVersion"]) not in known
            time = datetime.fromisoformat(event["requestReceivedTimestamp"])
            writes.append(Write(time, _version(event), sent["status"], after_gap=gap))
        known.add(_version(event))
    metadata = events[0]["responseObject"]["metadata"]
    revision = next((write.status["revision"] for write in writes if "revision" in write.status), "")
    return Run(f"{metadata['namespace']}/{metadata['name']}", uid, writes, calls, definitions.get(revision, ()))


def _changed_a_run(event: Event) -> bool:
    about, code = event.get("objectRef", {}), event.get("responseStatus", {}).get("code", 0)
    changes = event["verb"] in ("create", "update", "patch")
    return about.get("resource") == RUNS and changes and 200 <= code < 300


def _version(event: Event) -> int:
    return int(event["responseObject"]["metadata"]["resourceVersion"])
