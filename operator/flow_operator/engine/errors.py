"""What can go wrong with the API server, by who must act.

    ClusterError
    ├── Conflict       somebody wrote in between: read, and plan again at once
    ├── Gone           the object is not there (any more): forget it
    ├── Refused        it will not be taken as it is: a person must act
    └── Unavailable    the world: try later; whether it was done is unknown
        └── NotNow     the same, but it was certainly not done
            └── Forbidden  by the operator's rights, a quota, a policy or a webhook: perhaps until a person acts

What is wrong with a definition is no error but a value: its findings. What is wrong with a service is an observation.
These names live here because both rooms above, the one that raises and the one that acts, need them.
"""


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
