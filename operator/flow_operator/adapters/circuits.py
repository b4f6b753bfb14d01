"""The circuit of one host (M. Nygard, "Release It!", 2007): whether it is worth trying, and when. It reads no clock.

Closed until five calls in a row could not reach the host; then open, and one call at a time tries, at most every five
seconds, until one gets through.
"""

from dataclasses import dataclass
from datetime import datetime

FAILURES = 5
"""So many calls in a row that could not reach the host open its circuit."""
TRIAL_SECONDS = 5.0
"""While it is open, one call may try after so many seconds."""


@dataclass(slots=True)
class Circuit:
    """Moments are those of a monotonic clock, but for `open_since`, which is told to people."""

    failures: int = 0
    open_since: datetime | None = None
    next_trial: float = 0.0
    on_trial: bool = False
    """A call is trying at this moment."""

    def lets_through(self, moment: float, *, eager: bool) -> bool:
        """Whether a call may be sent; an `eager` one, since a person asks for it, need not wait for the next trial."""
        if self.open_since is None:
            return True
        return not self.on_trial and (eager or moment >= self.next_trial)

    def begin(self, moment: float) -> bool:
        """A call is sent; whether it is a trial."""
        if self.open_since is None:
            return False
        self.on_trial, self.next_trial = True, moment + TRIAL_SECONDS
        return True

    def failed(self, moment: float, now: datetime) -> bool:
        """A call could not reach the host; whether that has opened the circuit."""
        self.failures += 1
        if self.open_since is not None or self.failures < FAILURES:
            return False
        self.open_since, self.next_trial = now, moment + TRIAL_SECONDS
        return True

    def reached(self) -> bool:
        """A call has reached the host; whether that has closed the circuit."""
        was_open = self.open_since is not None
        self.failures, self.open_since = 0, None
        return was_open
