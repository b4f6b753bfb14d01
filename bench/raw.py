"""What the API server gives without an operator: the writes of a real run, written again by nothing but a loop.

Statuses are those that the operator wrote for one run of the saga; each raw run gets all of them in turn, with the
operator's credentials, its adapter and its request. So the raw rate has the same objects, sizes, shapes and clients.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from bench.client import Client, Written
from bench.saga import Object, saga
from bench.stage import Stage

NAMESPACE, TEMPLATE = "raw", "template"
WRITERS = (16, 64)


@dataclass(frozen=True, slots=True)
class RawRate:
    """One sample."""

    writers: int
    per_second: float
    cpu_ms: dict[str, float]
    """CPU time of one write, by process."""


def best(samples: Sequence[RawRate]) -> float:
    """The rate with the number of writers that does best: what there is to be had."""
    numbers = {sample.writers for sample in samples}
    return max(mean(sample.per_second for sample in samples if sample.writers == number) for number in numbers)


async def real_statuses(stage: Stage, admin: Client) -> list[Object]:
    """Every status that the operator writes for one run of the saga."""
    with stage.operator(NAMESPACE) as operator:
        operator.start()
        await admin.create("workflows", NAMESPACE, saga(TEMPLATE, stage.callee.port))
        # The first run of a new operator waits for its lease and the definition; the second one is as all others.
        for name in ("first", "second"):
            statuses = await _statuses_of(admin, name)
    return statuses


async def _statuses_of(admin: Client, name: str) -> list[Object]:
    statuses: list[Object] = []
    async with asyncio.timeout(60), admin.watch(NAMESPACE) as events:
        await admin.create_run(NAMESPACE, name, TEMPLATE)
        while True:
            _, event = await events.get()
            status = event["object"].get("status", {})
            if event["type"] == "MODIFIED":
                statuses.append(status)
            if status.get("completionTime"):
                return statuses


class RawWriter:
    """Writes the statuses of one run to new runs, again and again."""

    def __init__(self, stage: Stage, admin: Client, account: Client, statuses: Sequence[Object]) -> None:
        self._stage = stage
        self._admin = admin
        self._account = account
        self._statuses = statuses
        self._names: Iterator[str] = (f"raw-{number}" for number in range(10**9))

    async def rates(self, runs: int, order: Sequence[int] = WRITERS) -> list[RawRate]:
        """One sample for each number of writers, each with so many runs."""
        return [await self._rate(runs, writers) for writers in order]

    async def _rate(self, runs: int, writers: int) -> RawRate:
        created = await self._admin.create_runs(NAMESPACE, (next(self._names) for _ in range(runs)), TEMPLATE)
        left = iter(created)

        async def writer() -> None:
            for written in left:
                for status in self._statuses:
                    await self._account.write_status(NAMESPACE, written, status)

        meter, began = self._stage.cpu(), time.monotonic()
        await asyncio.gather(*(writer() for _ in range(writers)))
        writes, seconds = runs * len(self._statuses), time.monotonic() - began
        return RawRate(writers, writes / seconds, meter.per(writes))

    async def one(self, events: "asyncio.Queue[tuple[float, Object]]") -> tuple[float, list[float]]:
        """With nothing else going on: seconds from create to watch event, and those of each write."""
        began = time.monotonic()
        written = await self._admin.create_run(NAMESPACE, next(self._names), TEMPLATE)
        arrived, _ = await events.get()
        seconds = [await _timed(self._account, written, status) for status in self._statuses]
        for _ in self._statuses:
            await events.get()
        return arrived - began, seconds


async def _timed(account: Client, written: Written, status: Object) -> float:
    began = time.monotonic()
    await account.write_status(NAMESPACE, written, status)
    return time.monotonic() - began
