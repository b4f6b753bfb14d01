"""An event loop whose time passes only when nothing else is to be done: an hour of back-off takes no time at all."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)


class _NoWaiting(selectors.DefaultSelector):
    """Passes the time that it was to wait."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everything waits for something that will never happen"
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop."""

    def __init__(self) -> None:
        self._passing = _NoWaiting()
        super().__init__(self._passing)

    def time(self) -> float:
        """Seconds that have passed."""
        return self._passing.now


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run it to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_to_its_end(story))


async def _to_its_end(story: Coroutine[Any, Any, T]) -> T:
    """Whatever still runs when the story ends is cancelled, and so is what begins because of that."""
    try:
        return await story
    finally:
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others)


async def pass_time(seconds: float) -> None:
    """Let so much virtual time pass."""
    await asyncio.sleep(seconds)


def now() -> datetime:
    """The wall clock that goes with it."""
    return START + timedelta(seconds=asyncio.get_running_loop().time())
