"""What can go wrong with the API server, by who must act.

    ClusterError
    ├── Conflict       somebody wrote in between: read, and plan again at once
    ├── Gone           the object is not there (any more): forget it
    ├── Refused        it will not be taken as it is: a person must act
    └── Unavailable    the world: try later; whether it was done is unknown
        └── NotNow     the same, but it was certainly not done
            └── Forbidden  by the operator's rights, a quota, a policy or a webhook: perhaps until a person acts

`disposition` says what follows from each, for every place that meets one.

What is wrong with a definition is no error but a value: its findings. What is wrong with a service is an observation.
These names live here because both rooms above, the one that raises and the one that acts, need them.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal


class ClusterError(Exception):
    """The API server did not do what it was asked to."""


class Conflict(ClusterError):
    """The object is not as the writer thought: another resourceVersion or uid, or it exists already."""


class Gone(ClusterError):
    """There is no such object."""


class Refused(ClusterError):
    """The request was understood and will be refused again: not valid, or too large."""


class Unavailable(ClusterError):
    """No answer, or one that says nothing about whether it was done."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that the API server asked to wait, if it did."""


class NotNow(Unavailable):
    """Nothing was done: too many requests, or not permitted."""


class Forbidden(NotNow):
    """Not permitted. That may pass by itself: for a while after an API server has started it permits nothing."""


class Next(Enum):
    """What to do after an error of the API server."""

    READ = "read"
    """Nothing was done: read the object, and decide anew at once."""
    FORGET = "forget"
    """There is no such object any more."""
    RETRY = "retry"
    """Nothing was done: try again later, ever more rarely."""
    CHECK = "check"
    """Whether it was done is not known: read the object, and if it was not, try again later."""


@dataclass(frozen=True, slots=True)
class Disposition:
    """What follows from an error of the API server."""

    next: Next
    result: Literal["conflict", "unavailable", "refused"]
    """How the write is counted in `flow_status_writes_total`."""
    log: Literal["debug", "warning", "error"]
    """Level of the log line; an error is what somebody has to mend."""
    retry_after: float | None = None
    """Seconds that the API server asked to wait, if it did."""


def disposition(error: ClusterError) -> Disposition:
    """Who must act, and when to try again."""
    match error:
        case Conflict():
            return Disposition(Next.READ, "conflict", "debug")
        case Gone():
            return Disposition(Next.FORGET, "conflict", "debug")
        case Forbidden():
            return Disposition(Next.RETRY, "refused", "warning", error.retry_after)
        case NotNow():
            return Disposition(Next.RETRY, "unavailable", "warning", error.retry_after)
        case Unavailable():
            return Disposition(Next.CHECK, "unavailable", "warning", error.retry_after)
    return Disposition(Next.RETRY, "refused", "error")
