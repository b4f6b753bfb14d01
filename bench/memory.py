"""What many runs that do nothing cost: memory, the time until the operator is ready again, and writes (none).

Runs that back off and runs that have ended are made by writing the status of a real one, so that thousands take
seconds. Those that wait for a Workflow are taken in live, one by one.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.client import Client
from bench.operator import OperatorProcess
from bench.processes import cpu_seconds
from bench.requests import Requests
from bench.saga import LEVELS, Object, saga, waiting_saga
from bench.stage import Stage
from bench.waiting import WITHIN, until

LOOK_SECONDS = 0.1
QUIET_SECONDS = 3.0
PAGE = 500
PROMPT = "prompt"
LISTS_PER_START = 2
"""The cache at the start, and a comparison with it when the watch has begun."""


@dataclass(frozen=True, slots=True)
class Idle:
    """An operator with so many runs for which nothing is to be done."""

    kind: str
    runs: int
    empty_mib: float | None
    """Memory before there was any run."""
    live_mib: float | None
    """Memory after they came one by one; None if they were there from the start."""
    mib: float | None
    """Memory after a restart, when everything was listed twice."""
    most_mib: float | None
    """The most there was for a moment since the restart."""
    ready_seconds: float
    """From the start of the process to /readyz."""
    ready_cpu_seconds: float | None
    """CPU time of the operator until then."""
    first_call_seconds: float
    """From the start of the process to the first call of a run that was applied as soon as it was ready."""
    writes: int
    calls: int
    """What the restart and the lists caused, the one new run not counted."""


class Idleness:
    """Thousands of runs of one kind after the other, each kind in a namespace with an operator of its own."""

    def __init__(self, stage: Stage, admin: Client, account: Client, runs: int) -> None:
        self._stage = stage
        self._admin = admin
        self._account = account
        self._runs = runs

    async def workflow_missing(self) -> Idle:
        """Runs that wait for their Workflow."""
        namespace = self._stage.namespace(f"missing-{self._runs}")
        with self._stage.operator(namespace) as operator:
            await self._begin(operator, namespace)
            empty, stored = operator.resident_mib(), operator.status_writes()
            await self._admin.create_runs(namespace, self._names(), "missing")
            await until(lambda: operator.status_writes() >= stored + self._runs, every=LOOK_SECONDS)
            await asyncio.sleep(QUIET_SECONDS)
            live = operator.resident_mib()
            operator.stop()
            return await self._restarted(operator, namespace, "Workflow missing", empty, live)

    async def backing_off(self) -> Idle:
        """Runs whose first step was told to come back in an hour."""
        namespace = self._stage.namespace(f"waiting-{self._runs}")
        return await self._written(
            namespace, waiting_saga("waiting", self._stage.callee.port), "backing off", _backs_off
        )

    async def ended(self) -> Idle:
        """Runs that have ended in Success."""
        namespace = self._stage.namespace(f"ended-{self._runs}")
        return await self._written(namespace, saga("ended", self._stage.callee.port), "ended", _has_ended)

    async def _written(self, namespace: str, workflow: Object, kind: str, settled: Callable[[Object], bool]) -> Idle:
        with self._stage.operator(namespace) as operator:
            await self._begin(operator, namespace)
            empty = operator.resident_mib()
            name = workflow["metadata"]["name"]
            await self._admin.create("workflows", namespace, workflow)
            template = await self._settled(namespace, "template", name, settled)
            operator.stop()
            await self._copy(namespace, name, template)
            return await self._restarted(operator, namespace, kind, empty, None)

    async def _begin(self, operator: OperatorProcess, namespace: str) -> None:
        """Start, and let one run of the workflow end that is called after the restart: its revision is stored then."""
        operator.start()
        await self._admin.create("workflows", namespace, saga(PROMPT, self._stage.callee.port))
        await self._settled(namespace, "first", PROMPT, _has_ended)
        await asyncio.sleep(QUIET_SECONDS)

    async def _settled(self, namespace: str, run: str, workflow: str, settled: Callable[[Object], bool]) -> Object:
        """Create a run, and wait until its status is as wanted; the run."""
        async with asyncio.timeout(WITHIN), self._admin.watch(namespace) as events:
            await self._admin.create_run(namespace, run, workflow)
            while True:
                _, event = await events.get()
                found: Object = event["object"]
                if found["metadata"]["name"] == run and settled(found.get("status", {})):
                    return found

    async def _copy(self, namespace: str, workflow: str, template: Object) -> None:
        """Give new runs the status of this one, as if it were theirs."""
        text, uid = json.dumps(template["status"]), template["metadata"]["uid"]
        left = iter(await self._admin.create_runs(namespace, self._names(), workflow))

        async def writer() -> None:
            for written in left:
                await self._account.write_status(namespace, written, json.loads(text.replace(uid, written.uid)))

        await asyncio.gather(*(writer() for _ in range(16)))

    async def _restarted(
        self, operator: OperatorProcess, namespace: str, kind: str, empty: float | None, live: float | None
    ) -> Idle:
        before, calls = await self._admin.requests(), await self._stage.callee.count()
        began = time.monotonic()
        ready, cpu = operator.start(), cpu_seconds(operator.pid)
        await self._admin.create_run(namespace, "new", PROMPT)
        await self._stage.callee.until(calls + 1, WITHIN)
        first_call = time.monotonic() - began
        since = await self._listed(before)
        return Idle(
            kind=kind,
            runs=self._runs,
            empty_mib=empty,
            live_mib=live,
            mib=operator.resident_mib(),
            most_mib=operator.most_mib(),
            ready_seconds=ready,
            ready_cpu_seconds=cpu,
            first_call_seconds=first_call,
            writes=since.status_writes + since.conflicts + since.other_writes - (LEVELS + 1),
            calls=await self._stage.callee.count() - calls - LEVELS,
        )

    async def _listed(self, before: Requests) -> Requests:
        """Wait until everything was listed twice and a little more; what was asked meanwhile."""
        pages = LISTS_PER_START * -(-self._runs // PAGE)
        since = Requests()
        async with asyncio.timeout(WITHIN):
            while since.lists < pages:
                await asyncio.sleep(QUIET_SECONDS)
                since = (await self._admin.requests()).since(before)
        await asyncio.sleep(QUIET_SECONDS)
        return (await self._admin.requests()).since(before)

    def _names(self) -> Iterator[str]:
        return (f"run-{number}" for number in range(self._runs))


def _backs_off(status: Object) -> bool:
    return any("nextAttemptTime" in step for step in status.get("steps", ()))


def _has_ended(status: Object) -> bool:
    return "completionTime" in status
