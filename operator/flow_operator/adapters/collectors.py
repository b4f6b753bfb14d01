"""What is not counted when it happens, but asked for when somebody looks."""

import sys
from collections import Counter as Tally
from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from flow_operator import __version__

Counts = tuple[Tally[tuple[str, str, str]], Tally[tuple[str, str]]]
"""Runs by namespace, workflow and phase; parked ones by namespace and workflow."""


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
