"""A service as an HTTP server: `POST /<method>` for callers, `PUT /control/<method>` for whoever tests them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from examples.order.services.behaviour import Behaviour, Mode
from examples.order.services.catalog import SERVICES
from examples.order.services.journal import Entry, Journal, JournalReader, Sent
from examples.order.services.ledger import Call, Decision, Ledger

HOST = "127.0.0.1"

_SENT = {Mode.LATE: Sent.LATE, Mode.HOLD: Sent.HELD, Mode.LOSE: Sent.NEVER, Mode.DISCONNECT: Sent.NEVER}


class Service:
    """One service: its ledger, its journal, how long its work takes, and how each of its methods behaves."""

    def __init__(self, name: str, journal: Journal, past: list[Entry], pace: float) -> None:
        methods = SERVICES[name].methods
        self._name = name
        self._journal = journal
        self._pace = pace
        self._ledger = Ledger(methods, past)
        self._behaviour = dict.fromkeys(methods, Behaviour())
        self._told = {method: asyncio.Event() for method in methods}

    def application(self) -> web.Application:
        """The routes of the service."""
        application = web.Application()
        application.router.add_put("/control/{method}", self._control)
        application.router.add_post("/{method}", self._call)
        return application

    async def _control(self, request: web.Request) -> web.Response:
        """Set how a method behaves; calls that it holds are answered."""
        method = request.match_info["method"]
        if method not in self._behaviour:
            return _error(404, f"{self._name} has no method {method}")
        try:
            behaviour = Behaviour.from_json(await request.json())
        except ValueError as error:
            return _error(400, str(error))
        self._behaviour[method] = behaviour
        self._told[method].set()
        self._told[method] = asyncio.Event()
        return web.json_response(behaviour.to_json())

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method, key = request.match_info["method"], request.headers.get("Idempotency-Key", "")
        if method not in self._behaviour:
            return _error(404, f"{self._name} has no method {method}")
        if not key:
            return _error(400, "an Idempotency-Key is required")
        try:
            call = Call(method, key, json.loads(await request.read() or b"null"))
        except ValueError:
            return _error(400, "the body is not JSON")
        return await self._answer(request, call)

    async def _answer(self, request: web.Request, call: Call) -> web.StreamResponse:
        """Decide, write it down, then answer as the method's behaviour wants. Nothing is awaited before it is down."""
        behaviour, told = self._behaviour[call.method], self._told[call.method]
        self._behaviour[call.method] = behaviour.after_one_call()
        decision = self._ledger.decide(call, behaviour.mode)
        entry = self._entry(request, call, decision, _SENT.get(behaviour.mode, Sent.AT_ONCE))
        self._journal.append(entry)
        self._ledger.remember(entry)
        await asyncio.sleep(self._pace)
        if entry.sent is Sent.HELD:
            await told.wait()
        elif entry.sent is Sent.LATE:
            await asyncio.sleep(behaviour.delay)
        if entry.sent is Sent.NEVER or decision.code is None:
            return _hang_up(request)
        return web.json_response(decision.answer, status=decision.code)

    def _entry(self, request: web.Request, call: Call, decision: Decision, sent: Sent) -> Entry:
        header = request.headers
        attempt = header.get("X-Flow-Attempt", "")
        return Entry(
            time=datetime.now(UTC).isoformat(timespec="microseconds"),
            service=self._name,
            method=call.method,
            key=call.key,
            execution=header.get("X-Flow-Execution", ""),
            step=header.get("X-Flow-Step", ""),
            operation=header.get("X-Flow-Operation", ""),
            attempt=int(attempt) if attempt.isdecimal() else 0,
            digest=call.digest,
            body=call.body,
            did=decision.did,
            sent=sent,
            code=decision.code,
            answer=decision.answer,
            undoes=decision.undoes,
            traceparent=header.get("traceparent", ""),
        )


def _error(code: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=code)


def _hang_up(request: web.Request) -> web.StreamResponse:
    """Close the connection as if the process had died; the response that is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@asynccontextmanager
async def serving(
    name: str, port: int, journal: Path, *, pace: float = 0, share_port: bool = False
) -> AsyncIterator[None]:
    """Serve until the block ends. Raises OSError when the port is taken."""
    with Journal(journal) as opened:
        application = Service(name, opened, JournalReader(journal).entries(), pace).application()
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, port, reuse_port=share_port).start()
            yield
        finally:
            await runner.cleanup()
