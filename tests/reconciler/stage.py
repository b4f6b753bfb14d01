"""The shell between a fake API server and fake services, with the real core, and one journal of it all."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from tests.reconciler.fake_cluster import FakeCluster, Object
from tests.reconciler.virtual_time import now, pass_time

from flow_operator.adapters.slots import Slots
from flow_operator.api.status import Direction, Verdict
from flow_operator.engine.contract import Event
from flow_operator.engine.messages.observation import Answered, Observation, Request
from flow_operator.engine.planning import plan
from flow_operator.engine.recording import record
from flow_operator.reconciler import Reconciler, World
from flow_operator.reconciler.ports import Meter

Service = Callable[[Request], Awaitable[Observation]]
CALL_SECONDS = 0.02


def answer(code: int = 200, body: bytes = b'{"ok":true}', after: float = CALL_SECONDS) -> Service:
    """A service that always answers this, so late."""

    async def serve(_: Request) -> Observation:
        await pass_time(after)
        return Answered(code, {"content-type": "application/json"}, body)

    return serve


def in_turn(*services: Service) -> Service:
    """The first answers the first call, and so on; the last one all further."""
    left = list(services)

    async def serve(request: Request) -> Observation:
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return serve


class FakeCaller:
    """Calls the services of the test by the path of the URL, and writes down what was called."""

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal
        self.services: dict[str, Service] = {}
        self.in_flight: Counter[str] = Counter()
        self.most_in_flight: Counter[str] = Counter()
        self.requests: list[Request] = []

    async def call(
        self, request: Request, may_send: Callable[[], bool], *, namespace: str, reserved: bool
    ) -> Observation | None:
        """Send it to the service of its path, unless it may not be sent."""
        assert namespace
        assert reserved, "a call without a slot"
        if not may_send():
            return None
        path = _service(request)
        self.in_flight[path] += 1
        self.most_in_flight[path] = max(self.most_in_flight[path], self.in_flight[path])
        try:
            return await self._serve(path, request)
        finally:
            self.in_flight[path] -= 1

    async def _serve(self, path: str, request: Request) -> Observation:
        self.journal.append(f"call {path}")
        self.requests.append(request)
        try:
            observation = await self.services.get(path, answer())(request)
        except asyncio.CancelledError:
            self.journal.append(f"cut {path}")
            raise
        self.journal.append(f"answer {path}")
        return observation

    def keys(self) -> list[str]:
        """The idempotency key of every call."""
        headers = [{name.lower(): value for name, value in each.header.items()} for each in self.requests]
        return [header["idempotency-key"] for header in headers]


def _service(request: Request) -> str:
    return request.url.rpartition("/")[2]


class Tally:
    """Counts; and takes the events."""

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal
        self.attempts: list[tuple[str, str]] = []
        self.ended: list[tuple[str, float]] = []
        self.undone: list[str] = []
        self.forgotten: list[str] = []
        self.writes: list[str] = []

    def attempt(
        self, workflow: str, step: str, direction: Direction, verdict: Verdict, seconds: float, trace: str | None
    ) -> None:
        assert workflow
        assert seconds >= 0
        assert trace is not None
        assert len(trace) == 32
        self.attempts.append((f"{step}/{direction}", verdict))

    def run_ended(self, workflow: str, phase: str, seconds: float, trace: str | None) -> None:
        assert workflow
        assert trace is None or len(trace) == 32
        self.ended.append((phase, seconds))

    def undo_ended(self, workflow: str, phase: str, trace: str | None) -> None:
        assert workflow
        assert trace is not None
        self.undone.append(phase)

    def forget(self, workflow: str) -> None:
        self.forgotten.append(workflow)

    def status_write(self, result: str) -> None:
        self.writes.append(result)

    def post(self, namespace: str, name: str, uid: str, event: Event) -> None:
        assert namespace
        assert uid
        self.journal.append(f"event {name} {event.reason}")


class Stage:
    """One operator and its world."""

    def __init__(
        self,
        *,
        concurrency: int = 1000,
        per_host: int = 1000,
        per_namespace: int = 0,
        shards: int = 1,
        cluster: FakeCluster | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.journal: list[str] = cluster.journal if cluster else []
        self.cluster = cluster or FakeCluster(self.journal)
        self.caller = FakeCaller(self.journal)
        self.slots = Slots(now, per_host=per_host, per_namespace=per_namespace)
        self.tally = Tally(self.journal)
        self.leader = True
        self.shards = range(shards)
        self.reconciler = Reconciler(
            plan,
            record,
            World(self.cluster, self.caller, self.slots, meter or self.tally, self.tally, now),
            shards=shards,
            is_held=lambda _: self.leader,
            service_url="http://{service}.{namespace}.svc:{port}/{method}",
            concurrency=concurrency,
            per_namespace=per_namespace,
        )
        self.cluster.watch = self.reconciler.observe

    async def open(self) -> "Stage":
        """List everything and begin to act."""
        await self.stand_by()
        self.reconciler.start_acting(self.shards)
        return self

    async def stand_by(self) -> None:
        """List everything, and act as soon as that is told."""
        await self.reconciler.fill()
        self.judging = asyncio.create_task(self.reconciler.keep_judging())

    async def close(self) -> None:
        """Let go of every run, as the operator does at its end."""
        await self.reconciler.stop_acting(self.shards)

    def workflow(self, *steps: Object, name: str = "order", **fields: Any) -> None:
        """Apply a Workflow whose steps call the service of their own id."""
        self.cluster.add("workflows", name, {"spec": {"steps": list(steps), **fields}})

    def start(self, name: str = "run", workflow: str = "order", *, namespace: str = "shop", **spec: Any) -> None:
        """Apply a run."""
        fields = {"workflowRef": {"name": workflow}, "input": {"body": {"order": 1}}, **spec}
        self.cluster.add("workflowexecutions", name, {"spec": fields, "status": pristine()}, namespace)

    def command(self, verb: str, name: str = "run", *, args: str | None = None, id: str | None = None) -> None:
        """Give a command by annotation."""
        prefix = "flow.unistack.org/command"
        self.cluster.annotate(name, {prefix: verb, f"{prefix}-args": args, f"{prefix}-id": id})

    async def until(self, holds: Callable[[], bool], within: float = 3600.0) -> None:
        """Let time pass until this holds."""
        async with asyncio.timeout(within):
            while not holds():
                await pass_time(0.001)

    async def until_phase(self, phase: str, name: str = "run") -> None:
        """Let time pass until the run has ended, or stands, in this phase."""
        await self.until(lambda: self.cluster.status(name).get("phase") == phase)
        await pass_time(0.05)

    def lines(self, *beginnings: str) -> list[str]:
        """The lines of the journal that begin like this."""
        return [line for line in self.journal if line.startswith(beginnings)]


def pristine() -> Object:
    """The status that the CRD gives a new run."""
    return {"observedGeneration": -1, "phase": "Pending"}


def step(id: str, *requires: str, **fields: Any) -> Object:
    """A step that calls the service of its own id."""
    return {"id": id, "requires": list(requires), "endpoint": {"url": f"http://services/{id}"}, **fields}


def undoable(id: str, *requires: str, **fields: Any) -> Object:
    """The same, with an undo at `undo-<id>`."""
    return step(id, *requires, compensate={"endpoint": {"url": f"http://services/undo-{id}"}}, **fields)
