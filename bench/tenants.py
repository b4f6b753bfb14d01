"""What one namespace notices of another that calls a host which never answers.

The ordinary namespace runs one order of one step at a time: alone, while the runs of the other one come, and when all
of them are there. A few of these have a call in flight for as long as it takes; all others wait for a slot.
"""

import asyncio
import time
from asyncio import StreamReader, StreamWriter, TaskGroup
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.client import Client
from bench.operator import OperatorProcess
from bench.saga import Object, workflow
from bench.service import HOST, LARGE_METHOD
from bench.spread import Spread, spread
from bench.stage import Stage
from bench.waiting import until
from flow_operator.engine.waiting import UNREMARKABLE

ORDINARY, GREEDY = "ordinary", "greedy"
ORDERS = 200
WARM_UP = 20
LOOK_SECONDS = 0.5
QUIET_SECONDS = UNREMARKABLE.total_seconds() + 2
CHART = Path(__file__).parents[1] / "helm" / "flow-operator" / "values.yaml"


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The ordinary namespace, with so many runs of the other one."""

    greedy: str
    """What the other one does."""
    runs: int
    """So many runs it has in the end."""
    ordinary: Spread
    """Create → end of a run of the ordinary namespace."""
    others: float | None
    """Part of the machine's CPU time that went to processes which have nothing to do with this."""
    most_mib: float | None
    """The most memory that the operator has had so far."""


async def measure(stage: Stage, admin: Client, runs: int) -> list[Tenancy]:
    """Alone, and beside so many runs that wait."""
    both = ",".join(stage.namespace(each) for each in (ORDINARY, GREEDY))
    with stage.operator(both) as operator:
        operator.start()
        # The silent host ends first: an operator that is ended waits a while for calls in flight.
        async with _silent_host() as port, admin.watch(ORDINARY) as events:
            await admin.create("workflows", ORDINARY, workflow(ORDINARY, [_step(stage.callee.port)]))
            await admin.create("workflows", GREEDY, workflow(GREEDY, [_step(port, timeout={"request": "1h"})]))
            bench = _Bench(stage, admin, operator, events, runs)
            await bench.orders("warm-up", WARM_UP)
            found = [await bench.measured("nothing", 0)]
            async with TaskGroup() as coming:
                coming.create_task(bench.apply())
                found.append(await bench.measured("its runs come", runs))
            await bench.at_rest()
            found.append(await bench.measured("its runs wait", runs))
    return found


def memory_limit() -> float:
    """MiB that the chart allows the operator."""
    limit: str = yaml.safe_load(CHART.read_text())["resources"]["limits"]["memory"]
    return float(limit.removesuffix("Mi"))


class _Bench:
    """What every measurement needs."""

    def __init__(
        self,
        stage: Stage,
        admin: Client,
        operator: OperatorProcess,
        events: "asyncio.Queue[tuple[float, Object]]",
        runs: int,
    ) -> None:
        self._stage = stage
        self._admin = admin
        self._operator = operator
        self._events = events
        self._runs = runs

    async def apply(self) -> None:
        """The runs of the greedy namespace, as many at once as a busy program would."""
        await self._admin.create_runs(GREEDY, (f"run-{number}" for number in range(self._runs)), GREEDY)

    async def at_rest(self) -> None:
        """Wait until each run of the greedy namespace has a call in flight, or has said that it waits for a slot."""
        seen, since = -1, 0.0

        def quiet() -> bool:
            nonlocal seen, since
            if (stored := self._operator.status_writes()) != seen:
                seen, since = stored, time.monotonic()
            return time.monotonic() - since >= QUIET_SECONDS

        await until(quiet, every=LOOK_SECONDS)

    async def measured(self, greedy: str, runs: int) -> Tenancy:
        """The ordinary namespace at this moment."""
        meter = self._stage.cpu(self._operator)
        orders = await self.orders(greedy.replace(" ", "-"), ORDERS)
        return Tenancy(greedy, runs, spread(orders), meter.others(), self._operator.most_mib())

    async def orders(self, prefix: str, number: int) -> list[float]:
        """Seconds from create to end of so many runs, one at a time."""
        return [await self._order(f"{prefix}-{each}") for each in range(number)]

    async def _order(self, name: str) -> float:
        began = time.monotonic()
        await self._admin.create_run(ORDINARY, name, ORDINARY)
        while True:
            moment, event = await self._events.get()
            found = event["object"]
            if found["metadata"]["name"] == name and "completionTime" in found.get("status", {}):
                return moment - began


def _step(port: int, **fields: Any) -> Object:
    return {"id": "call", "endpoint": {"service": "shop", "port": port, "method": LARGE_METHOD}, **fields}


@asynccontextmanager
async def _silent_host() -> AsyncIterator[int]:
    """The port of a host that takes every call, and answers none."""
    held: list[StreamWriter] = []

    async def take(reader: StreamReader, writer: StreamWriter) -> None:
        held.append(writer)
        with suppress(OSError):
            while await reader.read(65536):
                pass

    server = await asyncio.start_server(take, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in held:
            writer.transport.abort()
