"""Waiting for a condition instead of for a while."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(probe: Callable[[], T | None], *, within: float, what: str, every: float = 0.03) -> T:
    """Ask `probe` until its answer is truthy and return it; after `within` seconds raise TimeoutError naming `what`."""
    deadline = time.monotonic() + within
    while not (answer := probe()):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"not within {within:g} s: {what}")
        time.sleep(every)
    return answer
