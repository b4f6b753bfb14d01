"""Every reason that a status, condition, finding or event can carry: one word per idea, the same everywhere.

A reason is written as its word, where it is found, and what it means to the person who finds it. The reference is made
from this.
"""

from enum import StrEnum
from typing import Self

DEFINITIONS = "Definitions: the condition Ready"
FINDINGS = "Definitions: findings"
RUNS = "Runs"
STEPS = "Steps, undos and attempts"
EVENTS = "Events only"


class Reason(StrEnum):
    """Machine-readable reasons, in CamelCase as Kubernetes wants them."""

    where: str
    meaning: str

    def __new__(cls, word: str, where: str = "", meaning: str = "") -> Self:
        reason = str.__new__(cls, word)
        reason._value_ = word
        reason.where = where
        reason.meaning = meaning
        return reason

    VALID = "Valid", DEFINITIONS, "Nothing is wrong; runs can use it."
    INVALID_WORKFLOW = "InvalidWorkflow", DEFINITIONS, "`status.findings` lists all that is wrong with the Workflow."
    INVALID_STEP = "InvalidStep", DEFINITIONS, "`status.findings` lists all that is wrong with the Step."
    STEP_NOT_FOUND = (
        "StepNotFound",
        DEFINITIONS,
        "A `stepRef` names a Step that does not exist (yet). A run of the Workflow waits for it.",
    )
    STEP_NOT_READY = (
        "StepNotReady",
        DEFINITIONS,
        "A `stepRef` names a Step that is not ready. A run of the Workflow waits for it.",
    )

    INVALID_FIELD = "InvalidField", FINDINGS, "A value is none that this field can have."
    UNKNOWN_FIELD = "UnknownField", FINDINGS, "There is no such field."
    UNKNOWN_STEP = "UnknownStep", FINDINGS, "`requires`, `acceptSkipped` or `fallback` names no step of the workflow."
    DUPLICATE_ID = "DuplicateId", FINDINGS, "Two steps have the same id."
    CYCLE = "Cycle", FINDINGS, "Steps wait for each other in a circle, over `requires` and `fallback`."
    INVALID_DEPENDENCY = (
        "InvalidDependency",
        FINDINGS,
        "A step requires itself or a fallback, a fallback requires something, or a step is the fallback of two.",
    )
    INVALID_EXPRESSION = "InvalidExpression", FINDINGS, "An expression does not compile, or is one that is not allowed."
    NOT_AN_ANCESTOR = "NotAnAncestor", FINDINGS, "An expression reads a step that need not be done by then."
    UNGUARDED_READ = (
        "UnguardedRead",
        FINDINGS,
        "An undo reads `error`, or the response or output of its step, without `.?`: it would fail in the very case it "
        "exists for.",
    )
    INVALID_HEADER = "InvalidHeader", FINDINGS, "A header is none, or one that only Flow sets."

    WORKFLOW_NOT_FOUND = "WorkflowNotFound", RUNS, "Pending: there is no such Workflow (yet)."
    WORKFLOW_NOT_READY = "WorkflowNotReady", RUNS, "Pending: something is wrong with the Workflow."
    REVISION_NOT_FOUND = (
        "RevisionNotFound",
        RUNS,
        "The ControllerRevision that holds the run's definition is gone. Nothing is called.",
    )
    INVALID_INPUT = "InvalidInput", RUNS, "Failure: the input cannot be used. Nothing was called."
    PAYLOAD_TOO_LARGE = (
        "PayloadTooLarge",
        RUNS,
        "Failure: the input is over 128 KiB. On a step: its request or its answer is over the limit.",
    )
    STATUS_TOO_LARGE = "StatusTooLarge", RUNS, "Failure: the run's object would grow beyond 768 KiB."
    RUNNING = "Running", RUNS, "Steps are being called."
    SUCCEEDED = "Succeeded", RUNS, "Every step was done or skipped."
    STEP_FAILED = "StepFailed", RUNS, "A step failed, and no fallback took over."
    RUN_TIMEOUT = "RunTimeout", RUNS, "`timeout.run` of the Workflow passed."
    ABORTED = "Aborted", RUNS, "The command `abort` was given."
    OUTPUT_ERROR = "OutputError", RUNS, "Success, but `output` of the Workflow could not be computed."
    COMPENSATING = "Compensating", RUNS, "Steps are being undone."
    COMPENSATED = "Compensated", RUNS, "Every step that had to be was undone."
    NOT_COMPENSATED = "NotCompensated", RUNS, "The run is not undone: the Workflow, or a person, does not want it."
    COMPENSATION_PARKED = (
        "CompensationParked",
        RUNS,
        "An undo failed and waits for a person: `retry`, `skip` or `abort` without compensation.",
    )
    COMPENSATION_GIVEN_UP = "CompensationGivenUp", RUNS, "A person gave up an undo that had failed."
    SUSPENDED_BY_COMMAND = "SuspendedByCommand", RUNS, "Suspended by the command `suspend`, until `resume`."
    SUSPENDED_BY_SPEC = "SuspendedBySpec", RUNS, "Suspended by `spec.suspend`, until that is false."
    NOT_SUSPENDED = "NotSuspended", RUNS, "Nothing suspends the run."

    BACKING_OFF = "BackingOff", RUNS, "`status.waiting`: the next attempt is due at `until`."
    SLOT_UNAVAILABLE = (
        "SlotUnavailable",
        RUNS,
        "`status.waiting`: a call is due, and all slots at its host, or the share of its namespace, are taken.",
    )

    CONDITION_FALSE = "ConditionFalse", STEPS, "Skipped: `when` was false."
    DEPENDENCY_SKIPPED = "DependencySkipped", STEPS, "Skipped: a step that it requires was."
    FALLBACK_NOT_NEEDED = "FallbackNotNeeded", STEPS, "Skipped: the step that it stands in for did not fail."
    SKIPPED_BY_COMMAND = "SkippedByCommand", STEPS, "Success: a person did it by hand and said `skip`."
    STEP_TIMEOUT = "StepTimeout", STEPS, "Failure: `timeout.total` passed."
    REQUEST_CHANGED = (
        "RequestChanged",
        STEPS,
        "The request to be repeated would not be the one that was sent, so it is not sent. A person decides.",
    )
    EXPRESSION_ERROR = "ExpressionError", STEPS, "An expression could not be evaluated."
    INVALID_REQUEST = "InvalidRequest", STEPS, "Failure: the request could not be built. Nothing was sent."
    EGRESS_DENIED = "EgressDenied", STEPS, "Failure: the address is not allowed. Nothing was sent."
    RETRIES_EXHAUSTED = "RetriesExhausted", STEPS, "Every retry was used up."
    ATTEMPT_LOST = "AttemptLost", STEPS, "The operator ended during the attempt; it is repeated under the same key."
    ATTEMPT_CUT = "AttemptCut", STEPS, "The attempt was cut, as the run had ended or timed out."
    CIRCUIT_OPEN = (
        "CircuitOpen",
        STEPS,
        "Five calls in a row could not reach the host, so one call at a time tries. Nothing was sent.",
    )
    UNEXPECTED_CODE = "UnexpectedCode", STEPS, "The status code means neither success nor retry."
    CONFLICT = "Conflict", STEPS, "The service answered 409."
    TOO_MANY_REQUESTS = "TooManyRequests", STEPS, "The service answered 429."
    REDIRECT = "Redirect", STEPS, "The service answered 3xx; redirects are not followed."
    FAIL_WHEN = "FailWhen", STEPS, "`outcome.failWhen` was true."
    RETRY_WHEN = "RetryWhen", STEPS, "`outcome.retryWhen` was true."
    SUCCESS_WHEN = "SuccessWhen", STEPS, "`outcome.successWhen` was false."

    COMMAND_ACCEPTED = "CommandAccepted", EVENTS, "Normal: a command was carried out."
    COMMAND_REJECTED = "CommandRejected", EVENTS, "Normal: a command was not possible; the message says why."
    RUN_FAILED = "RunFailed", EVENTS, "Warning: the forward part of the run failed."
    STEP_SUSPENDED = "StepSuspended", EVENTS, "Warning: a step waits for a person."
