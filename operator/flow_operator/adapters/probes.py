"""/healthz, /readyz and /metrics. If the event loop is stuck nobody answers, which says the same as 503."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web


class Exposition(Protocol):
    """What /metrics shows."""

    def exposition(self, accept: Collection[str]) -> tuple[bytes, str]:
        """All metrics as text, as who accepts these types reads it, and its type."""
        ...


@dataclass(frozen=True)
class Probes:
    """The questions that kubelet asks, each answered by None or by what is wrong."""

    health: Callable[[], str | None]
    readiness: Callable[[], str | None]
    metrics: Exposition

    async def serve(self, host: str, port: int) -> web.AppRunner:
        """Answer from now on; the runner's cleanup() ends it. Raises OSError if the address cannot be had."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        return runner

    async def _healthz(self, _: web.Request) -> web.Response:
        return _answer(self.health())

    async def _readyz(self, _: web.Request) -> web.Response:
        return _answer(self.readiness())

    async def _metrics(self, request: web.Request) -> web.Response:
        body, content_type = self.metrics.exposition(request.headers.getall("Accept", []))
        return web.Response(body=body, headers={"Content-Type": content_type})


def _answer(trouble: str | None) -> web.Response:
    return web.Response(text="ok\n") if trouble is None else web.Response(text=f"{trouble}\n", status=503)
