"""What the shell needs of the world outside. The room next door (`adapters`) fits these shapes, unseen from here."""

from collections.abc import AsyncIterator, Callable, Mapping, Set
from datetime import datetime
from typing import Any, Literal, Protocol

from flow_operator.api.status import Direction, ExecutionStatus, Verdict
from flow_operator.engine.contract import Blocked, CallId, Event, Outcome, Plan, Run
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.messages.observation import Observation, Request

RUNS = "workflowexecutions"
WORKFLOWS = "workflows"
STEPS = "steps"
REVISIONS = "controllerrevisions"

Object = dict[str, Any]
"""An object, or its metadata, as the API server gives it."""

Now = Callable[[], datetime]
WriteResult = Literal["stored", "conflict", "unavailable", "refused"]


class Cluster(Protocol):
    """The API server. Every method raises a ClusterError when it does not succeed."""

    async def read(self, plural: str, namespace: str, name: str) -> Object:
        """The object as it is now."""
        ...

    async def write_status(
        self, plural: str, namespace: str, name: str, uid: str, version: str, status: Object
    ) -> Object:
        """Compare and swap the status; the metadata that came of it."""
        ...

    async def patch(self, plural: str, namespace: str, name: str, patch: Object) -> Object:
        """Apply a merge patch; the metadata that came of it."""
        ...

    async def create(self, plural: str, namespace: str, document: Object) -> Object:
        """Create the object; Conflict if it exists."""
        ...

    def pages(self, plural: str, *, metadata_only: bool) -> AsyncIterator[list[Object]]:
        """Every object in the watched namespaces, a page at a time."""
        ...


class Caller(Protocol):
    """Makes calls to services."""

    async def call(
        self, request: Request, may_send: Callable[[], bool], *, namespace: str, reserved: bool
    ) -> Observation | None:
        """Send the request, once, and say what was seen. Raises nothing.

        None if it was not sent: `may_send`, asked right before the first byte, said no. `namespace` is whose share of
        look-ups and memory it takes; `reserved`: it comes with a slot, and with what that holds of the memory.
        """
        ...


class Ticket(Protocol):
    """What one call has asked for at its host."""

    @property
    def granted(self) -> bool:
        """It has a slot."""
        ...

    @property
    def blocked(self) -> Blocked | None:
        """Why the call may not be sent now; None when it may."""
        ...


class Slots(Protocol):
    """What calls need of the process, given without waiting."""

    def ask(self, namespace: str, request: Request, wake: Callable[[], None], *, eager: bool) -> Any:
        """A ticket, granted at once if a slot is free; else `wake` is called when there is news about it.

        `eager`: a person asks for this call.
        """
        ...

    def give_back(self, ticket: Any, seen: Observation | None = None) -> None:
        """The call is not made, or it has ended; `seen` says how, if it was made."""
        ...


class Cache(Protocol):
    """What is known of all objects of one kind."""

    def observe(self, body: Object) -> None:
        """The API server says so; perhaps it is old news."""
        ...

    def forget(self, namespace: str, name: str, uid: str | None = None) -> None:
        """The object (with this uid, if one is given) was deleted."""
        ...

    def is_news(self, metadata: Object) -> bool:
        """Whether this metadata belongs to an object that is not known as it is."""
        ...

    def uids(self) -> dict[tuple[str, str], str]:
        """The uid of every known object, by namespace and name."""
        ...


class Meter(Protocol):
    """Counts what happened."""

    def attempt(
        self, workflow: str, step: str, direction: Direction, verdict: Verdict, seconds: float, trace: str | None
    ) -> None:
        """An attempt has ended and its verdict is known. `trace` is the id of the run's trace."""
        ...

    def run_ended(self, workflow: str, phase: str, seconds: float, trace: str | None) -> None:
        """A run has ended, its undo included."""
        ...

    def undo_ended(self, workflow: str, phase: str, trace: str | None) -> None:
        """The undo of a run has ended, in Success or, given up, in Failure."""
        ...

    def forget(self, workflow: str) -> None:
        """There is no Workflow of this name any more, in any namespace."""
        ...

    def status_write(self, result: WriteResult) -> None:
        """A status, or the revision that it names, was written or not."""
        ...


class Tracer(Protocol):
    """Tells of spans, as well as it can: nothing waits for it, and it raises nothing."""

    def stored(self, run: Run, before: ExecutionStatus, after: ExecutionStatus) -> None:
        """The status of a run was `before` and is `after` now: attempts may have ended, and the run."""
        ...


class Untraced:
    """A tracer that nobody listens to."""

    def stored(self, run: Run, before: ExecutionStatus, after: ExecutionStatus) -> None:
        """Nobody is told."""


class Recorder(Protocol):
    """Posts Kubernetes Events, as well as it can: nothing waits for one."""

    def post(self, namespace: str, name: str, uid: str, event: Event) -> None:
        """Post the event on the run."""
        ...


class Planner(Protocol):
    """`engine.planning.plan`."""

    def __call__(
        self,
        run: Run,
        definition: Definition | Unresolved,
        status: ExecutionStatus,
        in_flight: Set[str],
        now: datetime,
        nonce: str,
        service_url: str,
        blocked: Mapping[CallId, Blocked],
    ) -> Plan:
        """What to remember and then to do."""
        ...


class Registrar(Protocol):
    """`engine.recording.record`."""

    def __call__(
        self, run: Run, definition: Definition, status: ExecutionStatus, outcome: Outcome, now: datetime
    ) -> ExecutionStatus:
        """The status with this outcome in it."""
        ...
