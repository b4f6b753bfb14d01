"""How many: runs per second, and what each costs, beside the raw rate right before and right after.

*Waiting*: all runs are there, and wait for their Workflow; then that is applied. Nothing but the operator's own work is
measured: this is the rate that is compared with the raw one. *Applied*: runs are created while the operator works, by
as many writers as a busy program has; each create costs the API server about what a status write does. *Apart*: as
waiting, and the API server has half of the cores for itself, as in a cluster where it has a machine of its own; so has
the raw writer. It says whether the operator keeps up.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from bench.client import Client
from bench.operator import OperatorProcess
from bench.processes import BENCH, OTHERS
from bench.raw import RawRate, RawWriter, best
from bench.saga import LEVELS, saga
from bench.spread import Spread, spread
from bench.stage import CAN_BE_APART, Stage
from bench.waiting import WITHIN, until

LOOK_SECONDS = 0.02
SETTLE_SECONDS = 1.5
MOST_RAW_RUNS, LEAST_RAW_RUNS = 1000, 50


@dataclass(frozen=True, slots=True)
class Throughput:
    """What so many runs took."""

    mode: str
    runs: int
    seconds: float
    status_writes: int
    conflicts: int
    other_writes: int
    first_call: Spread
    """From when the last thing that a run needs was applied."""
    cpu_ms: dict[str, float]
    """CPU time of one run, by process."""
    others: float | None
    """Part of the machine's CPU time that went to processes which have nothing to do with this."""
    raw: list[RawRate]

    @property
    def per_second(self) -> float:
        """Runs per second."""
        return self.runs / self.seconds

    @property
    def writes_per_run(self) -> float:
        """Status writes of a run."""
        return self.status_writes / self.runs

    @property
    def ratio(self) -> float:
        """Runs per second, of those that the raw rate of writes allows."""
        return self.per_second * self.writes_per_run / best(self.raw)

    @property
    def cpu_ratio(self) -> float | None:
        """The same if nothing but CPU time set the limit: that of a run's writes alone, of all that the run takes.

        It does not depend on what else the machine does, and is the ratio to expect where everything shares its cores.
        """
        if not self.cpu_ms:
            return None
        raw = mean(_total(sample.cpu_ms, OTHERS) for sample in self.raw)
        return raw * self.writes_per_run / _total(self.cpu_ms, OTHERS, BENCH)


class Course:
    """One operator, and one load after the other."""

    def __init__(self, stage: Stage, admin: Client, raw: RawWriter, namespace: str) -> None:
        self._stage = stage
        self._callee = stage.callee
        self._admin = admin
        self._raw = raw
        self._namespace = namespace

    async def apart(self, operator: OperatorProcess, runs: int) -> Throughput:
        """The same, on cores apart from those of the API server."""
        with self._stage.apart(operator):
            return await self.waiting(operator, runs, "apart")

    async def waiting(self, operator: OperatorProcess, runs: int, mode: str = "waiting") -> Throughput:
        """So many runs that wait for their Workflow."""
        workflow, stored = f"{mode}-{runs}", operator.status_writes()
        names = [f"{workflow}-{number}" for number in range(runs)]
        await self._admin.create_runs(self._namespace, names, workflow)
        await until(lambda: operator.status_writes() >= stored + runs, every=LOOK_SECONDS)

        async def apply() -> dict[str, float]:
            began = time.monotonic()
            await self._admin.create("workflows", self._namespace, saga(workflow, self._callee.port))
            return dict.fromkeys(names, began)

        return await self._timed(operator, mode, runs, apply)

    async def applied(self, operator: OperatorProcess, runs: int) -> Throughput:
        """So many runs that are applied while the operator works."""
        workflow = f"prompt-{runs}"
        await self._admin.create("workflows", self._namespace, saga(workflow, self._callee.port))
        names = (f"{workflow}-{number}" for number in range(runs))
        moments: dict[str, float] = {}

        def noted() -> Iterator[str]:
            for name in names:
                moments[name] = time.monotonic()
                yield name

        async def apply() -> dict[str, float]:
            await self._admin.create_runs(self._namespace, noted(), workflow)
            return moments

        return await self._timed(operator, "applied", runs, apply)

    async def _timed(
        self, operator: OperatorProcess, mode: str, runs: int, apply: Callable[[], Awaitable[dict[str, float]]]
    ) -> Throughput:
        raw_runs = min(MOST_RAW_RUNS, max(runs, LEAST_RAW_RUNS))
        raw = await self._raw.rates(raw_runs)
        await asyncio.sleep(SETTLE_SECONDS)
        calls, ended = await self._callee.count(), operator.runs_in("Success")
        requests = await self._admin.requests()
        meter = self._stage.cpu(operator)
        began = time.monotonic()
        moments = await apply()
        await self._callee.until(calls + LEVELS * runs, WITHIN)
        await until(lambda: operator.runs_in("Success") >= ended + runs, every=LOOK_SECONDS)
        seconds, cpu, others = time.monotonic() - began, meter.per(runs), meter.others()
        since = (await self._admin.requests()).since(requests)
        seen = await self._callee.calls(calls)
        return Throughput(
            mode=mode,
            runs=runs,
            seconds=seconds,
            status_writes=since.status_writes,
            conflicts=since.conflicts,
            other_writes=since.other_writes,
            first_call=spread(seen[f"{self._namespace}/{name}"][0] - moment for name, moment in moments.items()),
            cpu_ms=cpu,
            others=others,
            raw=raw + await self._raw.rates(raw_runs),
        )


async def measure(
    stage: Stage, admin: Client, raw: RawWriter, sizes: Sequence[int], profile: Path | None
) -> AsyncIterator[Throughput]:
    """All modes, with each number of runs; apart with the last one only."""
    namespace = stage.namespace("throughput")
    course = Course(stage, admin, raw, namespace)
    with stage.operator(namespace, profile) as operator:
        operator.start()
        for runs in sizes:
            yield await course.waiting(operator, runs)
            yield await course.applied(operator, runs)
        if CAN_BE_APART:
            yield await course.apart(operator, sizes[-1])


def _total(cpu_ms: Mapping[str, float], *but: str) -> float:
    return sum(spent for name, spent in cpu_ms.items() if name not in but)
