"""What is counted, under the names of the contract (semantics: How it is started)."""

import sys
from collections import Counter as Tally
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from flow_operator import __version__
from flow_operator.api.status import Direction, Verdict

Counts = tuple[Tally[tuple[str, str, str]], Tally[tuple[str, str]]]

_ATTEMPT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_RUN_BUCKETS = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600)


class Metrics:
    """Counters of its own registry; how many runs there are is asked for when somebody looks."""

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody reads
        self._registry = CollectorRegistry()
        self._attempts = Counter(
            "flow_attempts",
            "Attempts that have ended.",
            ("workflow", "step", "direction", "verdict"),
            registry=self._registry,
        )
        self._attempt_seconds = Histogram(
            "flow_attempt_duration_seconds",
            "How long attempts took, waiting for a place at the host included.",
            buckets=_ATTEMPT_BUCKETS,
            registry=self._registry,
        )
        self._run_seconds = Histogram(
            "flow_run_duration_seconds",
            "How long runs took, undo included.",
            ("workflow", "phase"),
            buckets=_RUN_BUCKETS,
            registry=self._registry,
        )
        self._writes = Counter(
            "flow_status_writes", "Writes of a status, by what became of them.", ("result",), registry=self._registry
        )
        self._spans_dropped = Counter(
            "flow_spans_dropped", "Spans that no receiver of traces has taken.", registry=self._registry
        )
        self._registry.register(_BuildInfo())

    def attempt(self, workflow: str, step: str, direction: Direction, verdict: Verdict, seconds: float) -> None:
        """An attempt has ended and its verdict is known."""
        self._attempts.labels(workflow, step, direction.value, verdict.value).inc()
        self._attempt_seconds.observe(seconds)

    def run_ended(self, workflow: str, phase: str, seconds: float) -> None:
        """A run has ended, its undo included."""
        self._run_seconds.labels(workflow, phase).observe(seconds)

    def status_write(self, result: str) -> None:
        """A status was written, or not."""
        self._writes.labels(result).inc()

    def spans_dropped(self, number: int) -> None:
        """So many spans were not exported."""
        self._spans_dropped.inc(number)

    def count(self, runs: Callable[[], Counts]) -> None:
        """Ask this how many runs there are."""
        self._registry.register(_Runs(runs))

    def count_shards(self, configured: int, held: Callable[[], int]) -> None:
        """Show how many shards there are, and ask this how many of them this replica holds."""
        Gauge("flow_shards", "Leases that share the runs between replicas.", registry=self._registry).set(configured)
        gauge = Gauge("flow_shards_held", "Those of them that this replica holds.", registry=self._registry)
        gauge.set_function(held)

    def exposition(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)


class _Runs(Collector):
    def __init__(self, runs: Callable[[], Counts]) -> None:
        self._runs = runs

    def collect(self) -> Iterable[GaugeMetricFamily]:
        phases, parked = self._runs()
        family = GaugeMetricFamily(
            "flow_runs",
            "Runs by phase, of the shards that this replica holds.",
            labels=("namespace", "workflow", "phase"),
        )
        for phase_labels, number in phases.items():
            family.add_metric(phase_labels, number)
        yield family
        family = GaugeMetricFamily(
            "flow_runs_parked", "Runs whose undo waits for a person, likewise.", labels=("namespace", "workflow")
        )
        for labels, number in parked.items():
            family.add_metric(labels, number)
        yield family


class _BuildInfo(Collector):
    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = GaugeMetricFamily("flow_build_info", "What is running.", labels=("version", "python"))
        family.add_metric((__version__, sys.version.split()[0]), 1)
        yield family
