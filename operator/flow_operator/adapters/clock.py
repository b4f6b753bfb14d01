"""The only clock. Whatever else depends on time is given it as a value, so that it can be replayed and tested."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The time of day, aware, in UTC, with microseconds: for what is stored and shown. It can jump."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds since an arbitrary moment: for how long something took and for leases. It never jumps."""
    return time.monotonic()
