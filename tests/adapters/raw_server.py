"""A server on loopback that does exactly what a test says, byte by byte: for behaviour that no HTTP library offers."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Behaviour = Callable[[Reader, Writer], Awaitable[None]]


@dataclass
class RawServer:
    """What arrived so far."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by every request; who waits for another one clears it first."""

    def record(self, request: bytes) -> None:
        self.requests.append(request)
        self.arrived.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@contextlib.asynccontextmanager
async def raw_server(
    behaviour: Callable[[RawServer], Behaviour], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Serve until the block ends; then connections are cut, wherever they are."""
    state = RawServer()
    act = behaviour(state)
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: Reader, writer: Writer) -> None:
        state.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await act(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()
            tasks.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()  # since Python 3.12 it waits for all connections to be closed


async def read_request(reader: Reader) -> bytes:
    """One whole request: head, and as many bytes of body as it announces."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.split(b":")[1]))
    return head
