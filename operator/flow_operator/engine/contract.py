"""The contract between the core, which decides, and the shell, which acts.

    plan(run, definition, status, in_flight, now, nonce, service_url, blocked) -> Plan   what to remember, then to send
    record(run, definition, status, outcome, now) -> status                              what an answer made of it

Four rules bind the shell (semantics: Remember before you act):

0. A slot comes before an intention: what `Plan.attempts` need of the process (a slot at the host, room for the
   response, a closed circuit) is reserved before anything is stored. If a call lacks it, plan again and say so in
   `blocked`: it is left as it is, and named in `Plan.postponed`.
1. Store `Plan.status` with the resourceVersion that the plan was made from. If that is refused, nothing of the plan
   happens: read, and plan again.
2. Only then send `Plan.attempts`, each once. Cancel the calls in `Plan.cut`; their outcomes do not count any more.
3. Hand each observation back through `record`, on whatever status is newest: an outcome whose attempt is already
   closed changes nothing.

A step that the status calls Running and whose attempt is not in `in_flight` was lost; `plan` repeats it. There is no
other way to resume.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.reasons import Reason
from flow_operator.api.status import Direction, ExecutionStatus
from flow_operator.engine.messages.observation import Observation, Request


@dataclass(frozen=True, slots=True)
class Command:
    """A verb given by annotation. `args` is None when the annotation is not a JSON object."""

    id: str
    verb: str
    args: Mapping[str, Any] | None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What the shell knows of a run besides its status."""

    namespace: str
    name: str
    uid: str
    generation: int
    spec: ExecutionSpec
    command: Command | None = None
    outside_bytes: int = 0
    """Size in bytes of the object without its status, as JSON."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call to be sent once the status that announces it is stored."""

    id: str
    step: str
    direction: Direction
    number: int
    request: Request


CallId = tuple[str, Direction]
"""A step, and whether it is done or undone."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why a call that is due may not be sent now."""

    since: datetime
    circuit: str | None = None
    """The host, if its circuit is open; else what lacks is a free slot."""


@dataclass(frozen=True, slots=True)
class Postponed:
    """A call that is due and was not begun, since it is blocked."""

    step: str
    direction: Direction
    until: datetime | None = None
    """When it is to be looked at again although it is still blocked; None: never."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt."""

    attempt: str
    step: str
    direction: Direction
    observation: Observation
    started: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes Event on the run, for what a person must see."""

    type: Literal["Normal", "Warning"]
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to remember, and what to do once it is remembered."""

    status: ExecutionStatus
    attempts: tuple[Attempt, ...] = ()
    cut: frozenset[str] = frozenset()
    """Ids of attempts in flight whose answers no longer count."""
    wake_at: datetime | None = None
    """When to plan again although nothing happened; None: never."""
    events: tuple[Event, ...] = ()
    postponed: frozenset[CallId] = frozenset()
    """Calls that are due and blocked; what else was asked for at hosts is not needed any more."""
    urgent: bool = False
    """Store at once. Otherwise the status may join the next write, at the latest one second later."""
