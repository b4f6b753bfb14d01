"""What the operator writes: the status of a run, of its steps, and of definitions.

Two facts are kept apart everywhere: `phase` says what happened to the step in the run, `effect` says what may have
happened at the service. Merging them is how sagas double-charge.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from flow_operator.api.indexed import Indexed
from flow_operator.api.meta import UNTYPED_ITEMS, Model


class StatusModel(Model):
    """A part of a status. What has its default value is not written: bytes stored are what a write costs."""

    def document(self) -> dict[str, Any]:
        """This value as it is written to the API server: JSON types, no nulls, no defaults."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


class Phase(StrEnum):
    """Phase of a run, a step, or an undo (a run is never Skipped)."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPEND = "Suspend"
    SUCCESS = "Success"
    FAILURE = "Failure"
    ABORTED = "Aborted"
    SKIPPED = "Skipped"


class CompensationPhase(StrEnum):
    """Phase of the backward part of a run."""

    NOT_NEEDED = "NotNeeded"
    PENDING = "Pending"
    RUNNING = "Running"
    SUSPEND = "Suspend"
    SUCCESS = "Success"
    FAILURE = "Failure"


class Effect(StrEnum):
    """What may have happened at the service."""

    NONE = "None"
    UNKNOWN = "Unknown"
    APPLIED = "Applied"


class Verdict(StrEnum):
    """What to do next after an attempt."""

    SUCCESS = "Success"
    FAILURE = "Failure"
    RETRY = "Retry"


class Direction(StrEnum):
    """Whether a call does or undoes."""

    DO = "do"
    UNDO = "undo"


class Condition(StatusModel):
    """A Kubernetes condition."""

    type: str = Field(description="Name of the condition.")
    status: Literal["True", "False", "Unknown"] = Field(description="True, False or Unknown.")
    observed_generation: int | None = Field(None, description="Generation of the spec that this was computed from.")
    last_transition_time: datetime = Field(description="When the status last changed.")
    reason: str = Field(description="Machine-readable reason.")
    message: str = Field("", description="For people.")


class Finding(StatusModel):
    """One thing that is wrong with a definition."""

    path: str = Field(description="The field, for example spec.steps[2].requires[0].")
    reason: str = Field(description="Machine-readable reason.")
    message: str = Field(description="What is wrong, and the way out.")


class Payload(StatusModel):
    """A body as it is stored. `rawBody` holds JSON text that the API server would not keep exactly, or other text."""

    body: Any = Field(None, description="JSON that the API server keeps exactly.")
    raw_body: str | None = Field(
        None, description="JSON text whose numbers must keep their text; with contentType, text that is not JSON."
    )
    body_encoding: Literal["base64"] | None = Field(None, description="base64 when the bytes are not UTF-8.")
    content_type: str | None = Field(None, description="Content type of a body that is not JSON.")


class RequestRecord(Payload):
    """The request of the present attempt. Header and body go when the step has ended: they can be computed again."""

    method: str = Field(description="HTTP method.")
    url: str = Field(description="URL that the call goes to, across retries.")
    digest: str = Field(description="sha256 over method, URL, sorted user headers and body.")
    size: int = Field(0, description="Bytes of the body.")
    header: dict[str, str] | None = Field(
        None, description="User headers; Flow's own are in section Headers of the reference."
    )


class ResponseRecord(Payload):
    """The answer of the last attempt."""

    code: int = Field(description="HTTP status code.")
    header: dict[str, str] | None = Field(None, description="content-type, location, retry-after, etag, x-request-id.")


class AttemptRecord(StatusModel):
    """One attempt that has ended."""

    attempt: int = Field(description="Number of the attempt, from 1.")
    time: datetime = Field(description="When it began.")
    duration: str | None = Field(None, description="How long it took.")
    verdict: Verdict = Field(description="What to do next: Success, Failure or Retry.")
    effect: Effect = Field(description="What may have happened at the service: None, Unknown or Applied.")
    code: int | None = Field(None, description="HTTP status code, if one came.")
    reason: str | None = Field(None, description="Machine-readable reason.")
    message: str | None = Field(None, description="For people.")


class CallStatus(StatusModel):
    """A call and its attempts: what doing and undoing a step have in common."""

    phase: Phase = Field(description="Phase of the call.")
    effect: Effect = Field(
        Effect.NONE,
        description="What may have happened at the service: Applied if any attempt was, else Unknown if any was.",
    )
    reason: str | None = Field(None, description="Why it is in this phase.")
    message: str | None = Field(None, description="For people; the last error in full.")
    attempts: int = Field(0, description="Attempts begun. A lost attempt is repeated under its number.")
    budget_from: int = Field(0, description="Attempts made before the present budget of retries.")
    uncertain: bool = Field(
        False,
        description="Whether an attempt under the present key was Unknown: its original may still be in flight, so a "
        "409 proves nothing.",
    )
    attempt_id: str | None = Field(None, description="Random id of the attempt in flight; absent when none is.")
    attempt_time: datetime | None = Field(None, description="When the attempt in flight was decided.")
    generation: int = Field(0, description="Grows only when a person asks for a new idempotency key.")
    idempotency_key: str | None = Field(None, description="Key that all attempts carry.")
    start_time: datetime | None = Field(None, description="When the first attempt was decided.")
    completion_time: datetime | None = Field(None, description="When the call ended.")
    next_attempt_time: datetime | None = Field(None, description="When the next attempt is due, after a back-off.")
    request: RequestRecord | None = Field(None, description="The request.")
    response: ResponseRecord | None = Field(None, description="The answer of the last attempt; absent if it had none.")
    attempt_log: tuple[AttemptRecord, ...] = Field((), description="The last five attempts.")


class StepIdentity(StatusModel):
    """What tells the steps of a run apart."""

    id: str = Field(description="Id of the step.")


class StepStatus(CallStatus, StepIdentity):
    """A step of a run."""

    suspended_seconds: float = Field(0, description="Time for which a suspension stopped the clock of timeout.total.")
    output: Payload | None = Field(
        None, description="Output, if an expression made it; else it is the body of the response."
    )
    fallback: str | None = Field(None, description="Id of the step that took over after this one failed.")
    compensation: CallStatus | None = Field(None, description="The undo of this step.")


class Trace(StatusModel):
    """The W3C trace context of the run."""

    traceparent: str = Field(description="One trace for the run; each attempt is a span in it.")


class LastCommand(StatusModel):
    """The last verb that was given by annotation."""

    id: str = Field(description="Id of the command; the same id acts once.")
    verb: str = Field(description="The verb.")
    args: dict[str, Any] | None = Field(None, description="Its arguments.")
    result: Literal["Accepted", "Rejected"] = Field(description="Accepted or Rejected.")
    message: str = Field("", description="What was done, or why not.")
    time: datetime = Field(description="When the operator acted on it.")
    by: str | None = Field(None, description="Field manager that wrote the annotation.")


class PlannedUndo(StatusModel):
    """An undo call in one valid order."""

    step: str = Field(description="Id of the step to be undone.")
    after: tuple[str, ...] = Field((), description="Ids of the steps whose undo must be done first.")
    idempotency_key: str = Field(description="Key that the undo carries.")


class CompensationStatus(StatusModel):
    """The backward part of a run."""

    phase: CompensationPhase | None = Field(
        None,
        description="NotNeeded, Pending, Running, Suspend, Success or Failure; absent while the forward part runs.",
    )
    trigger: Literal["Failure", "Aborted"] | None = Field(
        None, description="What started it; the phase returns to it after a suspension. Absent when nothing did."
    )
    start_time: datetime | None = Field(None, description="When the first undo was decided.")
    completion_time: datetime | None = Field(None, description="When the last undo ended.")
    plan: tuple[PlannedUndo, ...] | None = Field(
        None, description="The undo calls in one valid order; made when the run fails, is aborted or is suspended."
    )
    plan_time: datetime | None = Field(None, description="When the plan was made.")


class Waiting(StatusModel):
    """What a run waits for."""

    step: str | None = Field(None, description="Id of the step that waits; absent if the run as a whole does.")
    reason: str = Field(
        description="A reason for which a person is needed, or BackingOff, SlotUnavailable, CircuitOpen, or why there "
        "is no definition."
    )
    since: datetime = Field(description="Since when it waits.")
    until: datetime | None = Field(None, description="When it goes on by itself, if that is known.")


class ExecutionStatus(StatusModel):
    """All that happened in a run."""

    observed_generation: int = Field(-1, description="Generation of the spec that this was computed from.")
    phase: Phase = Field(
        Phase.PENDING,
        description="Pending, Running, Suspend, Success, Failure or Aborted.",
        json_schema_extra={"enum": [phase.value for phase in Phase if phase != Phase.SKIPPED]},
    )
    reason: str | None = Field(None, description="Why the run is in this phase.")
    message: str | None = Field(None, description="For people.")
    start_time: datetime | None = Field(None, description="When the run was started.")
    completion_time: datetime | None = Field(None, description="When the run, with its undo, ended.")
    duration: str | None = Field(None, description="From startTime to completionTime.")
    suspended_seconds: float = Field(0, description="Time for which suspensions stopped the clock of timeout.run.")
    progress: str | None = Field(None, description="Steps done and steps in all, for example 3/5.")
    revision: str | None = Field(
        None, description="ControllerRevision that holds the definition this run is pinned to."
    )
    trace: Trace | None = Field(None, description="Trace context of the run.")
    output: Payload | None = Field(None, description="Result of the run.")
    waiting: Waiting | None = Field(
        None,
        description="The first thing that the run waits for: a person, a back-off, or for more than ten seconds a slot "
        "at a host. Absent while a call is in flight.",
    )
    last_command: LastCommand | None = Field(None, description="The last verb that was given.")
    conditions: tuple[Condition, ...] = Field(
        (),
        description="Ended, Succeeded, Reconciling, Stalled, Suspended, Compensated, CompensationFailed, LargeStatus.",
    )
    steps: Annotated[tuple[StepStatus, ...], AfterValidator(Indexed)] = Field(
        (), description="Every step, in the order of the definition.", json_schema_extra={UNTYPED_ITEMS: True}
    )
    compensation: CompensationStatus | None = Field(
        None,
        description="The backward part. While the forward part runs there is at most its plan: when the run is "
        "suspended.",
    )

    def document(self) -> dict[str, Any]:
        """As StatusModel says, but the phase is always there: columns and selectors read it."""
        return {**super().document(), "observedGeneration": self.observed_generation, "phase": self.phase.value}


class DefinitionStatus(StatusModel):
    """Status of a Step."""

    observed_generation: int = Field(-1, description="Generation of the spec that this was computed from.")
    conditions: tuple[Condition, ...] = Field((), description="Ready; Stalled.")
    findings: tuple[Finding, ...] = Field((), description="All that is wrong, at once.")


class WorkflowStatus(DefinitionStatus):
    """Status of a Workflow."""

    levels: tuple[tuple[str, ...], ...] = Field(
        (), description="The steps as levels: each step one below the deepest that it requires."
    )
    revision: str | None = Field(None, description="Name that a run started now would be pinned to.")
