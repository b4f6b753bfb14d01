"""Writes that only tell people what a run waits for: so many a second in each namespace, however many runs queue.

Without this limit, ten thousand runs that begin to queue at one moment would be ten thousand writes ten seconds later,
and everybody else's writes would wait behind them.
"""

from flow_operator.reconciler.entry import Entry

PER_SECOND = 10.0


class Notices:
    """When each run may say what it waits for."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}
        """By namespace, when the next one is free; moments are those of the event loop."""

    def pause(self, entry: Entry, now: float) -> float:
        """Seconds until this run may be written; 0 for at once. The run keeps its turn until it has been written."""
        if entry.notice_at is None:
            entry.notice_at = max(now, self._next.get(entry.namespace, now))
            self._next[entry.namespace] = entry.notice_at + 1 / PER_SECOND
        return max(0.0, entry.notice_at - now)
