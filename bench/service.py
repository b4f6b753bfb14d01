"""The service that the saga calls: it answers at once, and remembers who asked for what and when.

`python -m bench.service` prints its port and serves until its standard input ends. It costs as little as aiohttp can:
no routes, no access log, answers made beforehand.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass, field

from aiohttp import web

from bench.saga import BUSY

HOST = "127.0.0.1"

LARGE_METHOD = "Large.Call"
"""What every step of a large workflow calls."""
REFUSED_METHOD = "Large.Refused"
"""A method that is not there: a failure."""

ANSWERS = {
    "/Stock.Reserve": {"reservation": "r-20931", "state": "reserved", "warehouse": "north"},
    "/Payments.Charge": {"payment": "p-88120", "state": "charged", "amount": 42.5, "currency": "EUR"},
    "/Courier.Ship": {"tracking": "t-55102", "state": "shipped", "carrier": "courier"},
    f"/{LARGE_METHOD}": {"id": 7},
}
_BODIES = {path: json.dumps(answer).encode() for path, answer in ANSWERS.items()}
_JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class Memory:
    """Every call so far: run, step, and when it came by the clock that all processes of a machine share."""

    calls: list[tuple[str, str, float]] = field(default_factory=list)
    awaited: list[tuple[int, asyncio.Event]] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        now = time.monotonic()
        if request.path.startswith("/-/"):
            return await self._tell(request)
        header = request.headers
        self.calls.append((header.get("x-flow-execution", ""), header.get("x-flow-step", ""), now))
        for number, reached in self.awaited:
            if len(self.calls) >= number:
                reached.set()
        await request.read()
        if (body := _BODIES.get(request.path)) is not None:
            return web.Response(body=body, headers=_JSON)
        if request.path == f"/{BUSY}":
            return web.Response(status=503, headers={"Retry-After": "3600"})
        return web.Response(status=404)

    async def _tell(self, request: web.BaseRequest) -> web.StreamResponse:
        """`/-/calls?from=N`: the calls from the N-th on. `/-/until?calls=N`: answered when there are so many."""
        if request.path == "/-/until":
            waiting = (int(request.query["calls"]), asyncio.Event())
            if len(self.calls) < waiting[0]:
                self.awaited.append(waiting)
                await waiting[1].wait()
                self.awaited.remove(waiting)
            return web.json_response(len(self.calls))
        return web.json_response(self.calls[int(request.query["from"]) :])


async def serve() -> None:
    """Serve until standard input ends."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _end_of_input, stop)
    server = web.Server(Memory().handle, access_log=None)
    runner = web.ServerRunner(server)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0, shutdown_timeout=0.1).start()
    print(runner.addresses[0][1], flush=True)
    await stop.wait()
    await runner.cleanup()


def _end_of_input(stop: asyncio.Event) -> None:
    with contextlib.suppress(BlockingIOError):
        if not os.read(sys.stdin.fileno(), 4096):
            stop.set()


if __name__ == "__main__":
    asyncio.run(serve())
