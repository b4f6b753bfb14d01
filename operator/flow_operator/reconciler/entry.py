"""What is known of a run between two looks at it.

Ten thousand runs may wait at once, so an entry keeps the object once, as JSON text, and without managedFields; of a run
that has ended it keeps only what the metrics say.
"""

import asyncio
import json
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from flow_operator.api.reasons import Reason
from flow_operator.api.status import ExecutionStatus, Phase
from flow_operator.engine.contract import CallId, Command, Outcome
from flow_operator.engine.definitions.definition import Definition
from flow_operator.reconciler.commands import command_in
from flow_operator.reconciler.ports import Object, Ticket
from flow_operator.reconciler.versions import version_of

Key = tuple[str, str]
"""Namespace and name."""


@dataclass(slots=True)
class Entry:
    """One run, as of `version`."""

    namespace: str
    name: str
    uid: str
    version: str = ""
    generation: int = 0
    workflow: str = ""
    command: Command | None = None
    outside_bytes: int = 0
    """Size of the object without its status."""
    spec: bytes = b""
    """JSON text; empty when the run is settled."""
    status: Object | bytes = b""
    """As read, or packed as JSON text; empty when the run is settled."""

    phase: str = ""
    parked: bool = False
    ended: bool = False
    observed: int = -1
    """The generation that the status was computed from."""
    handled: str | None = None
    """Id of the last command that the status knows of."""

    waiting: str = ""
    """Reason of `status.waiting`; empty if the run waits for nothing."""

    tickets: dict[CallId, Ticket] = field(default_factory=dict)
    """What its calls have asked for at their hosts."""
    unstored: list[Outcome] = field(default_factory=list)
    """Calls that have ended, and are in no stored status."""
    definition: Definition | None = None
    """What those calls were made from."""

    notice_at: float | None = None
    """When it may be written only to say what it waits for, in seconds of the event loop; None if it does not ask."""

    timer: asyncio.TimerHandle | None = None
    failures: int = 0
    """How often in a row it could not be brought on: its writes were refused, or the operator failed."""

    @property
    def key(self) -> Key:
        """What it is filed under."""
        return self.namespace, self.name

    @property
    def settled(self) -> bool:
        """Nothing is to be done: it has ended, the status is about this spec, and no command waits."""
        return self.ended and self.command is None and self.observed == self.generation

    @property
    def new_command(self) -> Command | None:
        """The command in the annotations, if it was not acted upon yet."""
        return None if self.command is None or self.command.id == self.handled else self.command

    def take(self, body: Object) -> None:
        """Become what the API server says."""
        metadata = body["metadata"]
        spec = body.get("spec")
        self.version = version_of(metadata)
        self.generation = metadata.get("generation", 0)
        self.command = command_in(metadata)
        self.workflow = _workflow(spec)
        self.summarize(_mapping(body.get("status")))
        self.spec = b"" if self.settled else packed(spec)
        self.outside_bytes = 0 if self.settled else len(self.spec) + len(packed(metadata))

    def summarize(self, status: Object) -> None:
        """Keep this status, and note what is asked of a run that nobody looks at."""
        self.phase = intern(str(status.get("phase", Phase.PENDING.value)))
        conditions = status.get("conditions")
        self.parked = any(map(_says_parked, conditions)) if isinstance(conditions, list) else False
        self.ended = bool(status.get("completionTime"))
        self.observed = status.get("observedGeneration", -1)
        self.waiting = intern(str(_mapping(status.get("waiting")).get("reason", "")))
        self.handled = _mapping(status.get("lastCommand")).get("id")
        self.status = status

    def pack(self) -> None:
        """Keep as little as possible until somebody looks at it again."""
        if self.settled:
            self.spec, self.status = b"", b""
        elif isinstance(self.status, dict):
            self.status = packed(self.status)

    def unpacked_status(self) -> Object:
        """The status as a document."""
        if isinstance(self.status, bytes):
            return _mapping(json.loads(self.status)) if self.status else {}
        return self.status

    def disarm(self) -> None:
        """Stop its timer."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def packed(value: Any) -> bytes:
    """JSON text, as small as it gets."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), check_circular=False)
    return text.encode("utf-8", "surrogatepass")


def intentions(status: ExecutionStatus) -> frozenset[str]:
    """Ids of the attempts that stand in a status as being in flight."""
    calls = (call for step in status.steps for call in (step, step.compensation) if call is not None)
    return frozenset(call.attempt_id for call in calls if call.attempt_id is not None)


def _says_parked(condition: Any) -> bool:
    """Whether this is CompensationFailed because an undo waits for a person, however the run is held besides."""
    found = _mapping(condition)
    return found.get("type") == "CompensationFailed" and found.get("reason") == Reason.COMPENSATION_PARKED


def _mapping(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _workflow(spec: Any) -> str:
    name = _mapping(_mapping(spec).get("workflowRef")).get("name")
    return intern(name) if isinstance(name, str) else ""
