"""What is counted, under the names of the contract (semantics: How it is started).

What bounds each label: `workflow` the Workflows there are; `step` the steps of their definitions; `namespace`, beside a
`workflow` in the gauges of runs, the runs there are; `phase`, `verdict`, `direction`, `result` and `kind` are closed
lists. Nothing of a run is a label: its trace is told by exemplars, of which a series keeps one, and only to who asks
for OpenMetrics.

A Workflow's series are dropped when no namespace has a Workflow of its name any more. What its runs do after that is
counted under `(deleted)` instead of both names: under their own they would begin anew, and stay for ever.
"""

from collections.abc import Callable, Collection, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector

from flow_operator.adapters.collectors import BuildInfo, CircuitCollector, Counts, Queue, QueueCollector, RunCollector
from flow_operator.api.status import Direction, Verdict

_ATTEMPT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_RUN_BUCKETS = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600)
_LAG_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

DELETED = "(deleted)"
"""In place of the name of a Workflow that is gone, and of its steps. No object can be called so."""


class Metrics:
    """Counters of its own registry; how many runs there are is asked for when somebody looks."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody reads
        self._registry = registry = CollectorRegistry()
        self._has_workflow: Callable[[str], bool] = _always
        self._attempts = Counter(
            "flow_attempts",
            "Attempts that have ended.",
            ("workflow", "step", "direction", "verdict"),
            registry=registry,
        )
        self._attempt_seconds = Histogram(
            "flow_attempt_duration_seconds",
            "How long attempts took.",
            buckets=_ATTEMPT_BUCKETS,
            registry=registry,
        )
        self._run_seconds = Histogram(
            "flow_run_duration_seconds",
            "How long runs took, undo included.",
            ("workflow", "phase"),
            buckets=_RUN_BUCKETS,
            registry=registry,
        )
        self._undos = Counter(
            "flow_compensations",
            "Runs whose undo has ended: Success, or given up in Failure.",
            ("workflow", "phase"),
            registry=registry,
        )
        self._writes = Counter(
            "flow_status_writes",
            "Writes of a status, and of the revision that it names, by what became of them.",
            ("result",),
            registry=registry,
        )
        self._listed = Gauge(
            "flow_list_objects",
            "How many objects the list of a kind has brought: the one under way, else the last one.",
            ("kind",),
            registry=registry,
        )
        self._spans_dropped = Counter(
            "flow_spans_dropped", "Spans that no receiver of traces has taken.", registry=registry
        )
        self._lag = Histogram(
            "flow_event_loop_lag_seconds",
            "How late the event loop was for something that was due.",
            buckets=_LAG_BUCKETS,
            registry=registry,
        )
        registry.register(BuildInfo())
        ProcessCollector(registry=registry)

    def attempt(
        self, workflow: str, step: str, direction: Direction, verdict: Verdict, seconds: float, trace: str | None
    ) -> None:
        """An attempt has ended and its verdict is known."""
        names = (workflow, step) if self._has_workflow(workflow) else (DELETED, DELETED)
        self._attempts.labels(*names, direction.value, verdict.value).inc(exemplar=_exemplar(trace))
        self._attempt_seconds.observe(seconds, _exemplar(trace))

    def run_ended(self, workflow: str, phase: str, seconds: float, trace: str | None) -> None:
        """A run has ended, its undo included."""
        self._run_seconds.labels(self._named(workflow), phase).observe(seconds, _exemplar(trace))

    def undo_ended(self, workflow: str, phase: str, trace: str | None) -> None:
        """The undo of a run has ended."""
        self._undos.labels(self._named(workflow), phase).inc(exemplar=_exemplar(trace))

    def status_write(self, result: str) -> None:
        """A status, or the revision that it names, was written or not."""
        self._writes.labels(result).inc()

    def listed(self, kind: str, number: int) -> None:
        """The list of this kind that is under way has brought so many objects so far."""
        self._listed.labels(kind).set(number)

    def spans_dropped(self, number: int) -> None:
        """So many spans were not exported."""
        self._spans_dropped.inc(number)

    def lag(self, seconds: float) -> None:
        """The event loop was so late."""
        self._lag.observe(seconds)

    def forget(self, workflow: str) -> None:
        """There is no Workflow of this name any more."""
        for family in (self._attempts, self._run_seconds, self._undos):
            family.remove_by_labels({"workflow": workflow})

    def name_workflows(self, exist: Callable[[str], bool]) -> None:
        """Ask this whether there is a Workflow of a name, before something is counted under that."""
        self._has_workflow = exist

    def count(self, runs: Callable[[], Counts]) -> None:
        """Ask this how many runs there are."""
        self._registry.register(RunCollector(runs))

    def count_circuits(self, open_circuits: Callable[[], Iterable[str]]) -> None:
        """Ask this which hosts have an open circuit."""
        self._registry.register(CircuitCollector(open_circuits))

    def count_queue(self, queue: Callable[[], Queue]) -> None:
        """Ask this what waits."""
        self._registry.register(QueueCollector(queue))

    def count_shards(self, configured: int, held: Callable[[], int]) -> None:
        """Show how many shards there are, and ask this how many of them this replica holds."""
        Gauge("flow_shards", "Leases that share the runs between replicas.", registry=self._registry).set(configured)
        gauge = Gauge("flow_shards_held", "Those of them that this replica holds.", registry=self._registry)
        gauge.set_function(held)

    def count_answer_memory(self, taken: Callable[[], int]) -> None:
        """Ask this how many bytes answers take."""
        gauge = Gauge("flow_answer_memory_bytes", "What the answers of calls in flight take.", registry=self._registry)
        gauge.set_function(taken)

    def count_lookups(self, waiting: Callable[[], int]) -> None:
        """Ask this how many names wait to be looked up."""
        gauge = Gauge("flow_lookups_waiting", "Names of services that wait to be looked up.", registry=self._registry)
        gauge.set_function(waiting)

    def _named(self, workflow: str) -> str:
        return workflow if self._has_workflow(workflow) else DELETED

    def exposition(self, accept: Collection[str] = ()) -> tuple[bytes, str]:
        """All of it, as who accepts these types reads it, and its type. Only OpenMetrics has exemplars."""
        encode, content_type = choose_encoder(",".join(accept))
        return encode(self._registry), content_type


def _always(_: str) -> bool:
    return True


def _exemplar(trace: str | None) -> dict[str, str] | None:
    return None if trace is None else {"trace_id": trace}
