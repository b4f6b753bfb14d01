"""Symbols, colours, moments and durations: how single values are said. Every symbol has its word beside it."""

import re
from datetime import UTC, datetime

from rich.text import Text

from flow_operator.api.duration import written
from flow_operator.api.status import Effect, Phase

SYMBOLS = {
    Phase.PENDING: "○",
    Phase.RUNNING: "▸",
    Phase.SUSPEND: "‖",
    Phase.SUCCESS: "✓",
    Phase.FAILURE: "✗",
    Phase.ABORTED: "■",
    Phase.SKIPPED: "–",
}
STYLES = {
    Phase.PENDING: "dim",
    Phase.RUNNING: "cyan",
    Phase.SUSPEND: "bold yellow",
    Phase.SUCCESS: "green",
    Phase.FAILURE: "bold red",
    Phase.ABORTED: "magenta",
    Phase.SKIPPED: "dim",
}
EFFECT_STYLES = {Effect.NONE: "dim", Effect.UNKNOWN: "bold yellow", Effect.APPLIED: ""}

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def clean(text: object) -> str:
    """The text of a stranger on one line, without what could move a terminal's cursor or turn its text around."""
    return _CONTROL.sub(" ", str(text)).strip()


def text(words: object, style: str = "") -> Text:
    """Words in a style, never read as markup."""
    return Text(clean(words), style=style)


def moment(at: datetime) -> str:
    """A moment in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def precise(at: datetime) -> str:
    """A moment in UTC, to the millisecond."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'milliseconds')}Z"


def span(start: datetime, end: datetime) -> str:
    """How long it was from start to end, as `kubectl get` shows it; a clock that is behind makes it nothing."""
    return written(max(0.0, (end - start).total_seconds()))


def elapsed(start: datetime, now: datetime) -> str:
    """How long it has been so far: whole seconds, for it grows while it is looked at."""
    return length(max(0.0, (now - start).total_seconds()))


def length(seconds: float) -> str:
    """About how long."""
    return written(int(seconds) if seconds >= 1 else seconds)


def since(at: datetime | None, now: datetime) -> str:
    """`since 2026-01-01 00:00:03Z (12s)`; nothing when it is not known."""
    return f"since {moment(at)} ({elapsed(at, now)})" if at else ""
