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
    """critical: pages the on-call; warning: to be looked at during the day; info: for dashboards."""
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
        "An undo of {{ $labels.workflow }} in {{ $labels.namespace }} is parked and needs a decision.",
        "{{ $value }} runs cannot be undone any further: steps stay applied until somebody retries or skips the undo.",
    ),
    Alert(
        "FlowCompensationFailed",
        "critical",
        0,
        # A series that begins with its first failure has not increased since.
        'sum by (workflow) (increase(flow_compensations_total{phase="Failure"}[15m])) > 0 or sum by (workflow)'
        ' (flow_compensations_total{phase="Failure"} unless flow_compensations_total{phase="Failure"} offset 15m) > 0',
        "An undo of {{ $labels.workflow }} was given up.",
        "Steps stay applied although the run did not succeed, and will not be undone.",
    ),
    Alert(
        "FlowServiceFailing",
        "warning",
        5,
        'sum by (workflow, step, direction) (rate(flow_attempts_total{verdict="Retry"}[5m]))'
        " / sum by (workflow, step, direction) (rate(flow_attempts_total[5m])) > 0.5",
        "The service called by step {{ $labels.step }} of {{ $labels.workflow }} is failing.",
        "{{ $value | humanizePercentage }} of the attempts to {{ $labels.direction }} it must be retried.",
    ),
    Alert(
        "FlowNotLeading",
        "critical",
        2,
        "sum(flow_shards_held) < max(flow_shards) or absent(flow_shards)",
        "Some runs, or all, have no operator.",
        "Leases have no holder, or no operator can be scraped: the runs of those shards do not progress.",
    ),
    Alert(
        "FlowStatusWritesFailing",
        "critical",
        5,
        'sum(rate(flow_status_writes_total{result=~"unavailable|refused"}[5m]))'
        " / sum(rate(flow_status_writes_total[5m])) > 0.1",
        "The API server refuses or does not answer the operator's status writes.",
        "{{ $value | humanizePercentage }} of the status writes fail. Runs call nothing before their status is stored.",
    ),
    Alert(
        "FlowWritesRefused",
        "warning",
        10,
        'sum(rate(flow_status_writes_total{result="refused"}[5m])) > 0',
        "The API server refuses to store some runs or definitions.",
        "For ten minutes some writes have been refused, by a quota, a webhook, a policy, missing permissions or older"
        " CRDs. The runs concerned do not progress; the operator's log names them.",
    ),
    Alert(
        "FlowWorkqueueStuck",
        "warning",
        5,
        "max by (job, instance) (flow_workqueue_oldest_seconds) > 10",
        "Runs wait for a slot at {{ $labels.instance }}.",
        "The first of them has waited {{ $value | humanizeDuration }}: all FLOW_RUN_CONCURRENCY slots are taken.",
    ),
    Alert(
        "FlowEventLoopSlow",
        "warning",
        5,
        "histogram_quantile(0.99, sum by (job, instance, le) (rate(flow_event_loop_lag_seconds_bucket[5m]))) > 0.5",
        "The event loop of the operator at {{ $labels.instance }} is slow.",
        "At the 99th percentile it is {{ $value | humanizeDuration }} late: too little CPU, or something blocks it."
        " If the lag reaches FLOW_LEASE_DURATION, the operator loses its leases.",
    ),
    Alert(
        "FlowRunSuspended",
        "info",
        30,
        'sum by (namespace, workflow) (flow_runs{phase="Suspend"})'
        " - sum by (namespace, workflow) (flow_runs_parked) > 0",
        "Runs of {{ $labels.workflow }} in {{ $labels.namespace }} are suspended.",
        "{{ $value }} of them were suspended by a user, or have a step that needs a decision.",
    ),
    Alert(
        "FlowRunNotStarted",
        "warning",
        15,
        'sum by (namespace, workflow) (flow_runs{phase="Pending"}) > 0',
        "Runs of {{ $labels.workflow }} in {{ $labels.namespace }} do not start.",
        "{{ $value }} are Pending: their Workflow, or a Step of it, is missing or not ready.",
    ),
)


def rules(faster: int = 1) -> str:
    """The file of rules. `faster` divides every duration: for tests, that cannot wait."""
    group = {"name": "flow-operator", "rules": [dict(alert.rule(faster)) for alert in ALERTS]}
    return yaml.safe_dump({"groups": [group]}, sort_keys=False, allow_unicode=True, width=1000)


def _duration(minutes: int, faster: int) -> str:
    seconds = minutes * 60 // faster
    return f"{seconds // 60}m" if faster == 1 else f"{seconds}s"
