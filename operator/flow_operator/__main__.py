"""The operator as a process: settings → adapters → shell → kopf under its supervisor, until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import aiohttp

from flow_operator import __version__
from flow_operator.adapters import clock, credentials, logs, loop_lag, process, traces
from flow_operator.adapters.answer_memory import AnswerMemory
from flow_operator.adapters.api_server_names import ApiServerNames
from flow_operator.adapters.caller import Caller
from flow_operator.adapters.cluster import ApiServer
from flow_operator.adapters.credentials import Credentials, CredentialsError
from flow_operator.adapters.egress import Rules
from flow_operator.adapters.events import Events
from flow_operator.adapters.leases import ShardLeases
from flow_operator.adapters.lookups import Lookups
from flow_operator.adapters.metrics import Metrics
from flow_operator.adapters.probes import Probes
from flow_operator.adapters.sessions import api_server_session, call_session
from flow_operator.adapters.slots import Slots
from flow_operator.adapters.unlisted import unlisted
from flow_operator.engine.planning import plan
from flow_operator.engine.recording import record
from flow_operator.handlers import Supervisor, bind
from flow_operator.reconciler import Reconciler, World
from flow_operator.settings import InvalidSetting, Settings, load

log = logging.getLogger("flow_operator")

RECURSION_LIMIT = 20_000
"""The API server takes JSON nested 10,000 deep. Python's parser gives up at 1,000, and would at every restart again."""


def main() -> None:
    """Run until SIGTERM. Exit code 2: started wrongly; 1: it cannot go on."""
    sys.setrecursionlimit(RECURSION_LIMIT)
    process.raise_file_limit()
    try:
        settings = load(os.environ, sys.argv[1:])
        access = credentials.load(os.environ)
    except (InvalidSetting, CredentialsError) as error:
        print(f"flow-operator: {error}", file=sys.stderr)
        sys.exit(2)
    logs.configure("json" if settings.log_format == "json" else "text", settings.log_level)
    sys.exit(asyncio.run(operate(settings, access)))


async def operate(settings: Settings, access: Credentials) -> int:
    """Run until SIGTERM; the exit code."""
    asyncio.get_running_loop().set_default_executor(process.lookup_threads())
    rules = Rules(settings.egress_allow, settings.egress_deny)
    lookups = Lookups()
    async with (
        api_server_session(base_url=access.server, tls=access.tls, token=access.token) as api_session,
        call_session(rules, lookups=lookups) as calls,
    ):
        operator = Operator(settings, access, api_session, calls, rules)
        operator.metrics.count_lookups(lambda: lookups.waiting)
        try:
            runner = await operator.probes.serve(settings.http_listen.host, settings.http_listen.port)
        except OSError as error:
            print(f"flow-operator: FLOW_HTTP_LISTEN: {error}", file=sys.stderr)
            return 2
        _tell_start(settings)
        try:
            return await operator.run()
        finally:
            await runner.cleanup()
            await asyncio.to_thread(operator.tracer.close)


def _tell_start(settings: Settings) -> None:
    log.info(
        "flow-operator %s: namespaces %s, identity %s, %d shards, leases in %s, %d runs at once, %d calls per host",
        __version__,
        ", ".join(settings.namespaces) or "all",
        settings.identity,
        settings.shards,
        settings.lease_namespace,
        settings.run_concurrency,
        settings.host_concurrency,
    )


class Operator:
    """The parts, joined; and the order in which they begin and end."""

    def __init__(
        self,
        settings: Settings,
        access: Credentials,
        api: aiohttp.ClientSession,
        calls: aiohttp.ClientSession,
        rules: Rules,
    ) -> None:
        self.metrics = metrics = Metrics()
        cluster = ApiServer(api, settings.namespaces, listed=metrics.listed)
        self.tracer = traces.open_tracer(os.environ, settings.identity, metrics.spans_dropped)
        self._access = access
        self._stop = asyncio.Event()
        self._filled = False
        self._events = Events(cluster, settings.identity)
        self._api_server_names = ApiServerNames(cluster, rules, access.server, os.environ)
        memory = AnswerMemory(settings.answer_memory)
        slots = Slots(
            clock.now,
            per_host=settings.host_concurrency,
            per_namespace=settings.namespace_concurrency,
            memory=memory,
            circuits=settings.circuit,
        )
        self._reconciler = Reconciler(
            plan,
            record,
            World(cluster, Caller(calls, memory=memory), slots, metrics, self._events, clock.now, self.tracer),
            shards=settings.shards,
            is_held=lambda shard: self._leases.is_held(shard),
            service_url=settings.service_url,
            concurrency=settings.run_concurrency,
            per_namespace=settings.namespace_concurrency,
        )
        self._leases = ShardLeases(
            cluster,
            self._reconciler,
            namespace=settings.lease_namespace,
            identity=settings.identity,
            shards=settings.shards,
            duration=settings.lease_duration,
        )
        self._supervisor = Supervisor(
            bind(self._reconciler.observe, self._login),
            settings.namespaces,
            on_spawn=self._listen_to_signals,
            monotonic=clock.monotonic,
        )
        metrics.name_workflows(self._reconciler.has_workflow)
        metrics.count(self._reconciler.count_runs)
        metrics.count_circuits(slots.open_circuits)
        metrics.count_queue(self._reconciler.queue)
        metrics.count_answer_memory(lambda: memory.taken)
        metrics.count_shards(settings.shards, lambda: self._leases.held)
        self.probes = Probes(health=self._supervisor.trouble, readiness=self._unready, metrics=metrics)

    async def run(self) -> int:
        """Begin, go on until a signal comes or a part ends that never should, and end; the exit code."""
        self._listen_to_signals()
        async with _background(self._stop.wait()) as stopped:
            async with _background(self._prepare()) as filling:
                await asyncio.wait((stopped, filling), return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                return 0
            filling.result()
            self._filled = True
            async with (
                _background(self._events.run()) as events,
                _background(self._supervisor.run()) as watches,
                _background(self._leases.run()) as leases,
                _background(self._reconciler.keep_listing()) as listing,
                _background(self._reconciler.keep_judging()) as judging,
                _background(self._api_server_names.keep_current()) as names,
                _background(loop_lag.measure(self.metrics.lag)) as lag,
            ):
                parts = (events, watches, leases, listing, judging, names, lag)
                await asyncio.wait((stopped, *parts), return_when=asyncio.FIRST_COMPLETED)
                await self._end()
                ended = [part for part in parts if part.done()]
        for part in ended:
            log.critical("a part of the operator has ended", exc_info=None if part.cancelled() else part.exception())
        return 1 if ended else 0

    async def _prepare(self) -> None:
        """What has to be known before anything is done."""
        await self._reconciler.fill()
        await self._api_server_names.learn()

    async def _end(self) -> None:
        """Start nothing new, store what comes in time, and only then give the leases away."""
        self._filled = False
        await self._leases.leave()
        await self._events.flush()

    def _listen_to_signals(self) -> None:
        """kopf takes the signals for itself whenever it is spawned; they are for the whole process."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)

    def _login(self) -> tuple[str, aiohttp.ClientSession]:
        session = api_server_session(
            tls=self._access.tls,
            token=self._access.token,
            middlewares=(partial(unlisted, self._reconciler.watch_begins),),
        )
        return self._access.server, session

    def _unready(self) -> str | None:
        return None if self._filled else "the caches are not listed"


@asynccontextmanager
async def _background(part: Coroutine[Any, Any, Any]) -> AsyncIterator[asyncio.Task[Any]]:
    """A task that does not outlive the block."""
    task = asyncio.create_task(part)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):  # told of where it matters
            await task


if __name__ == "__main__":
    main()
