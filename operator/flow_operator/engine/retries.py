"""When a call is tried again (semantics: Retry and time)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from flow_operator.api.duration import seconds
from flow_operator.api.status import CallStatus
from flow_operator.api.step import Backoff

LONGEST_RETRY_AFTER = timedelta(hours=1)


def budget_left(call: CallStatus, limit: int) -> bool:
    """Whether one more retry is allowed. `limit` counts retries after the first attempt; -1 is without limit."""
    return limit == -1 or call.attempts - call.budget_from <= limit


def pause(backoff: Backoff, retry: int, chance: float, retry_after: timedelta | None = None) -> timedelta:
    """The pause before this retry (from 1): min(cap, duration * factor^(retry-1)), then ± jitter.

    `chance` in [-1, 1) says how much of the jitter. A `retry_after` of the service wins when it is longer.
    """
    cap = seconds(backoff.cap)
    try:
        length = min(cap, seconds(backoff.duration) * backoff.factor ** (retry - 1))
    except OverflowError:
        length = cap
    spread = timedelta(seconds=length * (1 + backoff.jitter * chance))
    return max(spread, retry_after or timedelta())


def retry_after(text: str | None, now: datetime) -> timedelta | None:
    """What a Retry-After header asks for (RFC 9110, 10.2.3), at most an hour; None when unreadable or past."""
    if text is None:
        return None
    asked = _asked(text.strip(), now)
    return min(asked, LONGEST_RETRY_AFTER) if asked is not None and asked > timedelta() else None


def _asked(text: str, now: datetime) -> timedelta | None:
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text[:9]))
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
