"""The proxy as a server in a thread of its own."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import aiohttp
from aiohttp import web
from tests.e2e.proxy.passing import Passing, Ruling
from yarl import URL

from flow_operator.adapters.sessions import api_server_session

HOST = "127.0.0.1"
MAX_BYTES = 8 * 2**20
NOT_PASSED_ON = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
PATIENCE_SECONDS = 30.0

T = TypeVar("T")


class Proxy:
    """A context manager that listens at `url`, a loopback port, without TLS unless it has a certificate."""

    def __init__(
        self, target: Callable[[str], str], tls: ssl.SSLContext | None = None, certificate: Path | None = None
    ) -> None:
        """`target` makes of path and query the URL to pass a request on to; `tls` knows the server there.

        `certificate` is one of localhost, with its key.
        """
        self.rules: Sequence[Ruling] = ()
        self.url = ""
        self._target = target
        self._tls = tls
        self._certificate = certificate
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._streams: list[web.Request] = []  # a request cannot be hashed

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut_streams(self) -> None:
        """End all watches that stand now, in the middle of whatever they say."""

        async def cut() -> None:
            for request in tuple(self._streams):
                _hang_up(request)

        self._do(cut())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    async def _open(self) -> None:
        self._session = api_server_session(tls=self._tls)  # which sends nothing twice by itself
        application = web.Application(client_max_size=MAX_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        # A request whose sender is gone goes no further.
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        serving = None
        if self._certificate:
            serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            serving.load_cert_chain(self._certificate)
        await web.TCPSite(self._runner, HOST, 0, ssl_context=serving).start()
        port = self._runner.addresses[0][1]
        self.url = f"https://localhost:{port}" if serving else f"http://{HOST}:{port}"

    async def _close(self) -> None:
        await self._runner.cleanup()
        # What was held or cut may still be under way, with a connection that only it can close.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._session.close()
        # TLS says goodbye before its socket is closed, and aiohttp does not wait for that (its "Graceful shutdown").
        await asyncio.sleep(0.25)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        passing = self._passing(request, await request.read())
        fault = next((fault for rule in self.rules if (fault := rule(passing))), None)
        try:
            if fault is not None:
                return await fault(passing)
            return await (passing.stream(lambda _: True) if passing.is_watch else passing.forward())
        except (aiohttp.ClientError, OSError):
            return passing.hang_up()  # one of the two sides is away

    def _passing(self, request: web.Request, body: bytes) -> Passing:
        def ask() -> Any:
            url = URL(self._target(request.raw_path), encoded=True)
            header = _kept(request.headers)
            return self._session.request(request.method, url, data=body or None, headers=header, allow_redirects=False)

        async def forward() -> web.Response:
            async with ask() as answer:
                return web.Response(status=answer.status, body=await answer.read(), headers=_kept(answer.headers))

        async def stream(wanted: Callable[[bytes], bool]) -> web.StreamResponse:
            async with ask() as answer:
                response = web.StreamResponse(status=answer.status, headers=_kept(answer.headers))
                await response.prepare(request)
                self._streams.append(request)
                try:
                    async for piece in answer.content.iter_any():
                        if not wanted(piece):
                            return _hang_up(request)
                        await response.write(piece)
                finally:
                    self._streams.remove(request)
                return response

        return Passing(
            request.method,
            request.path,
            request.query,
            request.headers,
            body,
            forward,
            stream,
            lambda: _hang_up(request),
        )


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _kept(header: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, value in header.items() if name.lower() not in NOT_PASSED_ON]
