"""Every reason that a status, condition, finding or event can carry: one word per idea, the same everywhere."""

from enum import StrEnum


class Reason(StrEnum):
    """Machine-readable reasons, in CamelCase as Kubernetes wants them."""

    # Definitions
    VALID = "Valid"
    INVALID_WORKFLOW = "InvalidWorkflow"
    INVALID_STEP = "InvalidStep"
    STEP_NOT_FOUND = "StepNotFound"
    STEP_NOT_READY = "StepNotReady"

    # Findings
    INVALID_FIELD = "InvalidField"
    UNKNOWN_FIELD = "UnknownField"
    UNKNOWN_STEP = "UnknownStep"
    DUPLICATE_ID = "DuplicateId"
    CYCLE = "Cycle"
    INVALID_DEPENDENCY = "InvalidDependency"
    INVALID_EXPRESSION = "InvalidExpression"
    NOT_AN_ANCESTOR = "NotAnAncestor"
    UNGUARDED_READ = "UnguardedRead"
    INVALID_HEADER = "InvalidHeader"

    # Runs that cannot start, or go on
    WORKFLOW_NOT_FOUND = "WorkflowNotFound"
    WORKFLOW_NOT_READY = "WorkflowNotReady"
    REVISION_NOT_FOUND = "RevisionNotFound"
    INVALID_INPUT = "InvalidInput"
    PAYLOAD_TOO_LARGE = "PayloadTooLarge"
    STATUS_TOO_LARGE = "StatusTooLarge"

    # Runs
    WAITING = "Waiting"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    STEP_FAILED = "StepFailed"
    RUN_TIMEOUT = "RunTimeout"
    ABORTED = "Aborted"
    OUTPUT_ERROR = "OutputError"
    COMPENSATING = "Compensating"
    COMPENSATED = "Compensated"
    COMPENSATION_PARKED = "CompensationParked"
    COMPENSATION_GIVEN_UP = "CompensationGivenUp"
    SUSPENDED_BY_COMMAND = "SuspendedByCommand"
    SUSPENDED_BY_SPEC = "SuspendedBySpec"
    NOT_SUSPENDED = "NotSuspended"

    # Steps and attempts
    CONDITION_FALSE = "ConditionFalse"
    DEPENDENCY_SKIPPED = "DependencySkipped"
    FALLBACK_NOT_NEEDED = "FallbackNotNeeded"
    SKIPPED_BY_COMMAND = "SkippedByCommand"
    STEP_TIMEOUT = "StepTimeout"
    REQUEST_CHANGED = "RequestChanged"
    EXPRESSION_ERROR = "ExpressionError"
    INVALID_REQUEST = "InvalidRequest"
    EGRESS_DENIED = "EgressDenied"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    ATTEMPT_LOST = "AttemptLost"
    ATTEMPT_CUT = "AttemptCut"
    UNEXPECTED_CODE = "UnexpectedCode"
    CONFLICT = "Conflict"
    TOO_MANY_REQUESTS = "TooManyRequests"
    REDIRECT = "Redirect"
    FAIL_WHEN = "FailWhen"
    RETRY_WHEN = "RetryWhen"
    SUCCESS_WHEN = "SuccessWhen"

    # Events
    COMMAND_ACCEPTED = "CommandAccepted"
    COMMAND_REJECTED = "CommandRejected"
    RUN_FAILED = "RunFailed"
    STEP_SUSPENDED = "StepSuspended"
