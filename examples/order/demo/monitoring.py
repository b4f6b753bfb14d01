"""What Prometheus has seen of the demo, beside what there was to be seen."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.controlplane import eventually
from tests.monitoring.prometheus import Prometheus

from examples.order.demo.screen import Screen

RUNS = "sum by (phase) (flow_runs) > 0"
ALERTS = 'count by (alertname) (max_over_time(ALERTS{alertstate="firing"}[1h]))'


def seen(prometheus: Prometheus, phases: Sequence[str], screen: Screen) -> list[str]:
    """Show how the runs have ended according to Prometheus, and what it raised; how that differs from these phases."""
    expected = Counter(phases)
    try:
        eventually(lambda: prometheus.by("phase", RUNS) == expected, within=10, what="Prometheus to see all runs")
    except TimeoutError:
        return [f"it sees {told(prometheus.by('phase', RUNS))}, and there were {told(expected)}"]
    screen.note(f"Prometheus has seen {told(expected)}.")
    alerts = sorted(prometheus.by("alertname", ALERTS))
    screen.note(f"Alerts that fired meanwhile: {', '.join(alerts) or 'none'}.")
    return []


def told(phases: Mapping[str, float]) -> str:
    """Numbers of runs by phase, in words."""
    return ", ".join(f"{count:.0f} × {phase}" for phase, count in sorted(phases.items())) or "no runs"
