"""The alerts: what each says, of what, and after how long."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_DURATION = re.compile(r"(?<=\[|\s)(\d+)m\b")


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule. Its section of docs/runbook.md has its name; the chart adds the URL, since only its user knows it."""

    name: str
    severity: str
    """critical: somebody gets up; warning: somebody looks during the day; info: for who looks anyway."""
    minutes: int
    """How long it must hold; 0 for at once."""
    expression: str
    summary: str
    description: str

    def rule(self, faster: int) -> Mapping[str, Any]:
        """As Prometheus has it, every duration divided by `faster`."""
        expression = _DURATION.sub(lambda found: _duration(int(found[1]), faster), self.expression)
        return {
            "alert": self.name,
            "expr": expression,
            "for": _duration(self.minutes, faster),
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.summary, "description": self.description},
        }


ALERTS = (
    Alert(
        "FlowRunParked",
        "critical",
        1,
        "sum by (namespace, workflow) (flow_runs_parked) > 0",
        "An undo of {{ $labels.workflow }} in {{ $labels.namespace }} waits for a person.",
        "{{ $value }} runs cannot be undone by themselves any further: what was done stays done until somebody acts.",
    ),
    Alert(
        "FlowCompensationFailed",
        "critical",
        0,
        # A series that begins with its first failure has not increased since.
        'sum by (workflow) (increase(flow_compensations_total{phase="Failure"}[15m])) > 0 or sum by (workflow)'
        ' (flow_compensations_total{phase="Failure"} unless flow_compensations_total{phase="Failure"} offset 15m) > 0',
        "An undo of {{ $labels.workflow }} was given up.",
        "Steps of the run stay applied although the run did not succeed; nobody will undo them any more.",
    ),
    Alert(
        "FlowServiceFailing",
        "warning",
        5,
        'sum by (workflow, step, direction) (rate(flow_attempts_total{verdict="Retry"}[5m]))'
        " / sum by (workflow, step, direction) (rate(flow_attempts_total[5m])) > 0.5",
        "The service behind {{ $labels.step }} of {{ $labels.workflow }} fails.",
        "{{ $value | humanizePercentage }} of the attempts to {{ $labels.direction }} it have to be tried again.",
    ),
    Alert(
        "FlowNotLeading",
        "critical",
        2,
        "sum(flow_shards_held) < max(flow_shards) or absent(flow_shards)",
        "No operator acts for some of the runs, or for any.",
        "Leases are not held, or no operator can be scraped: runs of those shards stand still.",
    ),
    Alert(
        "FlowStatusWritesFailing",
        "critical",
        5,
        'sum(rate(flow_status_writes_total{result=~"unavailable|refused"}[5m]))'
        " / sum(rate(flow_status_writes_total[5m])) > 0.1",
        "The API server does not take what the operator has to remember.",
        "{{ $value | humanizePercentage }} of the status writes fail. Runs wait for them before anything is called.",
    ),
    Alert(
        "FlowWritesRefused",
        "warning",
        10,
        'sum(rate(flow_status_writes_total{result="refused"}[5m])) > 0',
        "The API server refuses to store some runs or definitions.",
        "For ten minutes some writes have been refused again and again, by a quota, a webhook, a policy, missing"
        " rights or older CRDs. The runs concerned stand still; the operator's log names them.",
    ),
    Alert(
        "FlowWorkqueueStuck",
        "warning",
        5,
        "max by (job, instance) (flow_workqueue_oldest_seconds) > 10",
        "Runs wait for room at {{ $labels.instance }}.",
        "The first of them has waited {{ $value | humanizeDuration }}: all FLOW_RUN_CONCURRENCY places are taken.",
    ),
    Alert(
        "FlowEventLoopSlow",
        "warning",
        5,
        "histogram_quantile(0.99, sum by (job, instance, le) (rate(flow_event_loop_lag_seconds_bucket[5m]))) > 0.5",
        "The operator at {{ $labels.instance }} comes too late to everything.",
        "One moment in a hundred its event loop is {{ $value | humanizeDuration }} late: it gets too little CPU, or"
        " something blocks it. If that reaches FLOW_LEASE_DURATION it loses its leases.",
    ),
    Alert(
        "FlowRunSuspended",
        "info",
        30,
        'sum by (namespace, workflow) (flow_runs{phase="Suspend"})'
        " - sum by (namespace, workflow) (flow_runs_parked) > 0",
        "Runs of {{ $labels.workflow }} in {{ $labels.namespace }} are suspended.",
        "{{ $value }} of them were suspended by a person, or have a step that waits for one.",
    ),
    Alert(
        "FlowRunNotStarted",
        "warning",
        15,
        'sum by (namespace, workflow) (flow_runs{phase="Pending"}) > 0',
        "Runs of {{ $labels.workflow }} in {{ $labels.namespace }} do not start.",
        "{{ $value }} are Pending: their Workflow is missing or not ready, or they wait in a queue.",
    ),
)


def rules(faster: int = 1) -> str:
    """The file of rules. `faster` divides every duration: for tests, that cannot wait."""
    group = {"name": "flow-operator", "rules": [dict(alert.rule(faster)) for alert in ALERTS]}
    return yaml.safe_dump({"groups": [group]}, sort_keys=False, allow_unicode=True, width=1000)


def _duration(minutes: int, faster: int) -> str:
    seconds = minutes * 60 // faster
    return f"{seconds // 60}m" if faster == 1 else f"{seconds}s"
