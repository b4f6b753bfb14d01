"""How late the event loop is: what blocks it delays every call, every answer and the renewal of the leases."""

import asyncio
from collections.abc import Callable

INTERVAL_SECONDS = 0.5


async def measure(observe: Callable[[float], None]) -> None:
    """Tell, twice a second, how many seconds too late the loop came back, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + INTERVAL_SECONDS
        await asyncio.sleep(INTERVAL_SECONDS)
        observe(max(loop.time() - due, 0.0))
