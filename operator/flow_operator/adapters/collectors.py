"""What is not counted when it happens, but asked for when somebody looks."""

import sys
from collections import Counter as Tally
from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from flow_operator import __version__


class Counts(Protocol):
    """How many runs there are."""

    @property
    def phases(self) -> Tally[tuple[str, str, str]]:
        """By namespace, workflow and phase."""
        ...

    @property
    def parked(self) -> Tally[tuple[str, str]]:
        """Those of which an undo waits for a person, by namespace and workflow."""
        ...

    @property
    def waiting(self) -> Tally[tuple[str, str, str]]:
        """Those that wait for something, by namespace, workflow and reason."""
        ...


class Queue(Protocol):
    """How much there is to do."""

    @property
    def depth(self) -> int:
        """Runs that wait for room."""
        ...

    @property
    def oldest(self) -> float:
        """Seconds that the first of them has waited."""
        ...

    @property
    def active(self) -> int:
        """Runs that are acted on."""
        ...


class RunCollector(Collector):
    """How many runs there are."""

    def __init__(self, runs: Callable[[], Counts]) -> None:
        self._runs = runs

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One sample for each namespace, workflow and phase."""
        counts = self._runs()
        family = GaugeMetricFamily(
            "flow_runs",
            "Runs by phase, of the shards that this replica holds.",
            labels=("namespace", "workflow", "phase"),
        )
        for phase_labels, number in counts.phases.items():
            family.add_metric(phase_labels, number)
        yield family
        family = GaugeMetricFamily(
            "flow_runs_parked", "Runs whose undo waits for a person, likewise.", labels=("namespace", "workflow")
        )
        for labels, number in counts.parked.items():
            family.add_metric(labels, number)
        yield family
        family = GaugeMetricFamily(
            "flow_runs_waiting",
            "Runs that wait, by the reason in `status.waiting`, likewise.",
            labels=("namespace", "workflow", "reason"),
        )
        for waiting_labels, number in counts.waiting.items():
            family.add_metric(waiting_labels, number)
        yield family


class CircuitCollector(Collector):
    """Hosts that could not be reached."""

    def __init__(self, open_circuits: Callable[[], Iterable[str]]) -> None:
        self._open_circuits = open_circuits

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """A sample for each host whose circuit is open; none for all others."""
        family = GaugeMetricFamily("flow_circuit_open", "1 while the circuit of a host is open.", labels=("host",))
        for host in self._open_circuits():
            family.add_metric((host,), 1)
        yield family


class QueueCollector(Collector):
    """What waits for room among the runs that are acted on at once."""

    def __init__(self, queue: Callable[[], Queue]) -> None:
        self._queue = queue

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Three samples."""
        queue = self._queue()
        yield GaugeMetricFamily("flow_workqueue_depth", "Runs that wait for room to be acted on.", queue.depth)
        yield GaugeMetricFamily("flow_workqueue_oldest_seconds", "How long the first of them has waited.", queue.oldest)
        yield GaugeMetricFamily("flow_workqueue_active", "Runs that are acted on.", queue.active)


class BuildInfo(Collector):
    """What is running."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One sample, always 1."""
        family = GaugeMetricFamily("flow_build_info", "What is running.", labels=("version", "python"))
        family.add_metric((__version__, sys.version.split()[0]), 1)
        yield family
