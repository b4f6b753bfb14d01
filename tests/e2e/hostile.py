"""Services that do what no library offers, byte by byte, in a thread of their own: beside a test that waits."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from tests.adapters.raw_server import RawServer, raw_server
from tests.adapters.test_caller import Make

T = TypeVar("T")


class HostileServices:
    """A context manager; every service ends with it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._servers = AsyncExitStack()

    def serve(self, behaviour: Make) -> RawServer:
        """Start a service that behaves so; what arrives at it can be read at any time."""
        return self._run(self._servers.enter_async_context(raw_server(behaviour)))

    def tell(self, event: asyncio.Event) -> None:
        """Set an event that behaviours wait for."""
        self._loop.call_soon_threadsafe(event.set)

    def __enter__(self) -> "HostileServices":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._servers.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout=10)
