"""A run as the rest of this room reads it: the object that the API server holds, understood."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from flow_operator import __version__
from flow_operator.api.meta import COMMAND_ANNOTATION
from flow_operator.api.reasons import Reason
from flow_operator.api.status import AttemptRecord, CallStatus, Condition, ExecutionStatus, Phase, StepStatus
from flow_operator.cli.errors import Cannot
from flow_operator.cli.words import precise
from flow_operator.engine.conditions import find, frozen

HINT_SECONDS = 10.0
"""How long a run may be Pending without a look of the operator before that is worth a hint."""


class Unreadable(Cannot):
    """The object is none that this version understands."""


@dataclass(frozen=True)
class RunView:
    """One WorkflowExecution at one moment."""

    namespace: str
    name: str
    workflow: str
    created: datetime | None
    held_by_spec: bool
    commanded: bool
    """Whether it carries a command that the operator has still to read."""
    status: ExecutionStatus

    @classmethod
    def of(cls, execution: Mapping[str, Any]) -> "RunView":
        """The run in an object. Raises Unreadable."""
        metadata, spec = execution.get("metadata") or {}, execution.get("spec") or {}
        try:
            status = ExecutionStatus.model_validate(execution.get("status") or {})
        except ValidationError as error:
            field = ".".join(str(key) for key in error.errors()[0]["loc"])
            raise Unreadable(
                f"the status of {metadata.get('name')} is not one that this version of kubectl-flow ({__version__}) "
                f"understands, at status.{field}: upgrade kubectl-flow to the version of the operator"
            ) from None
        created = metadata.get("creationTimestamp")
        return cls(
            namespace=metadata.get("namespace") or "default",
            name=metadata.get("name") or "",
            workflow=(spec.get("workflowRef") or {}).get("name") or "",
            created=datetime.fromisoformat(created).astimezone(UTC) if created else None,
            held_by_spec=bool(spec.get("suspend")),
            commanded=COMMAND_ANNOTATION in (metadata.get("annotations") or {}),
            status=status,
        )

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more by itself."""
        return self.status.completion_time is not None

    @property
    def succeeded(self) -> bool:
        """Whether the run ended in Success."""
        return self.ended and self.status.phase is Phase.SUCCESS

    @property
    def frozen(self) -> bool:
        """Whether a person, or `spec.suspend`, holds the whole run."""
        return frozen(self.status)

    @property
    def seen_by_operator(self) -> bool:
        """Whether an operator has stored anything about it."""
        return self.status.observed_generation != -1 or self.status.phase is not Phase.PENDING

    def unnoticed(self, now: datetime) -> bool:
        """Whether an operator should have looked at it by now, and has not."""
        age = (now - self.created).total_seconds() if self.created else 0.0
        return not self.seen_by_operator and age >= HINT_SECONDS

    @property
    def needs_person(self) -> bool:
        """Whether it does not go on before a person does something, and nobody has given a command yet."""
        stalled = self.condition("Stalled")
        return not (self.ended or self.commanded) and (
            self.frozen or (stalled is not None and stalled.status == "True")
        )

    @cached_property
    def waiting(self) -> tuple[StepStatus, ...]:
        """Steps of which doing or undoing waits for a person."""
        return tuple(
            step
            for step in self.status.steps
            if step.phase is Phase.SUSPEND or (step.compensation and step.compensation.phase is Phase.SUSPEND)
        )

    def condition(self, type: str) -> Condition | None:
        """The condition of this type."""
        return find(self.status.conditions, type)

    def since(self, type: str) -> datetime | None:
        """When the condition of this type last changed."""
        found = self.condition(type)
        return found.last_transition_time if found else None


def lost_attempts(call: CallStatus) -> tuple[AttemptRecord, ...]:
    """The attempts whose answer nobody stored: the operator stopped before. They were repeated, or not, as told."""
    return tuple(record for record in call.attempt_log if record.reason == Reason.ATTEMPT_LOST)


def last_attempt(call: CallStatus) -> str:
    """What is known of the last attempt, for somebody who looks it up at the service."""
    if not call.attempt_log:
        return ""
    last = call.attempt_log[-1]
    why = ": ".join(part for part in (last.reason, last.message) if part)
    said = why or (f"HTTP {last.code}" if last.code else last.verdict)
    return f"attempt {last.attempt} at {precise(last.time)}: {said}"


def names(steps: Iterable[StepStatus]) -> str:
    """The ids of some steps."""
    return ", ".join(step.id for step in steps)
