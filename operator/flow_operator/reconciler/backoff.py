"""How long to wait for something that is away."""

import random

FIRST, LONGEST = 0.1, 5.0


def pause_after(failures: int, first: float = FIRST, longest: float = LONGEST) -> float:
    """The pause after so many failures before this one: doubling, shortened by up to a half so that waiters spread."""
    return min(longest, first * 2.0 ** min(failures, 30)) * random.uniform(0.5, 1.0)


class Backoff:
    """Pauses that double from 0.1 s to 5 s until it is back."""

    def __init__(self, first: float = FIRST, longest: float = LONGEST) -> None:
        self._first = first
        self._longest = longest
        self._failures = 0

    def reset(self) -> None:
        """It is back."""
        self._failures = 0

    def pause(self, at_least: float | None = None) -> float:
        """The next pause, in seconds; `at_least` is what the other side asked for."""
        pause = pause_after(self._failures, self._first, self._longest)
        self._failures += 1
        return max(pause, at_least or 0.0)
