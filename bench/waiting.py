"""Waiting for what somebody else does."""

import asyncio
from collections.abc import Callable

WITHIN = 600.0
"""Seconds after which a bench gives up: much more than anything takes."""


async def until(reached: Callable[[], bool], *, every: float) -> None:
    """Look again and again, until it is reached. Raises TimeoutError."""
    async with asyncio.timeout(WITHIN):
        while not reached():  # noqa: ASYNC110 what is looked at is another process
            await asyncio.sleep(every)
