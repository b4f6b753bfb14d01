"""The two dashboards: all runs and their operators, and one workflow."""

import json
from typing import Any

from helm.monitoring.panels import Panel, dashboard, variable

RATE = "[$__rate_interval]"
ONE = 'workflow="$workflow"'
WHERE = f'namespace=~"$namespace", {ONE}'


def fleet() -> dict[str, Any]:
    """For the on-call: whether everything works, and if not, what does not."""
    return dashboard(
        "flow-fleet",
        "Flow / Fleet",
        "All runs, the services they call, and the operators.",
        [],
        (
            (
                _number(
                    "Runs in progress",
                    "Started and not ended.",
                    'sum(flow_runs{phase=~"Running|Suspend"}) or vector(0)',
                ),
                _number("Parked", "Runs with an undo that needs a decision.", "sum(flow_runs_parked) or vector(0)"),
                _number("Shards not held", "The runs of these shards have no operator.", _not_held()),
                _number("Operators", "Replicas that are scraped.", "count(flow_build_info)"),
            ),
            (
                Panel("Runs by phase", "Current number.", {"{{phase}}": "sum by (phase) (flow_runs)"}),
                Panel(
                    "Runs ended",
                    "Per second, by final phase.",
                    {"{{phase}}": f"sum by (phase) (rate(flow_run_duration_seconds_count{RATE}))"},
                    "ops",
                ),
                Panel("Duration of runs", "Including the undo.", _quantiles("flow_run_duration_seconds", ""), "s"),
            ),
            (
                Panel(
                    "Attempts",
                    "Completed calls to services per second, by verdict.",
                    {"{{verdict}}": f"sum by (verdict) (rate(flow_attempts_total{RATE}))"},
                    "ops",
                ),
                Panel(
                    "Failing services",
                    "The ten steps with the largest share of attempts that must be retried.",
                    {"{{workflow}}/{{step}}": f"topk(10, {_retried('workflow, step', '')})"},
                    "percentunit",
                ),
                Panel(
                    "Duration of attempts",
                    "Excluding the time that calls wait for a slot at the host.",
                    _attempt_quantiles(),
                    "s",
                ),
            ),
            (
                Panel(
                    "Undos ended",
                    "In the last hour, by result: Success, or Failure if given up.",
                    {"{{phase}}": "sum by (phase) (increase(flow_compensations_total[1h]))"},
                ),
                Panel(
                    "Parked by workflow",
                    "Runs with an undo that needs a decision.",
                    {"{{namespace}}/{{workflow}}": "sum by (namespace, workflow) (flow_runs_parked)"},
                ),
                Panel(
                    "Status writes",
                    "Per second, by result. A conflict is a write of another client, not an error.",
                    {"{{result}}": f"sum by (result) (rate(flow_status_writes_total{RATE}))"},
                    "ops",
                ),
            ),
            (
                Panel(
                    "Work queue",
                    "Runs in progress in a replica, and runs that wait for a slot.",
                    {"active": "sum(flow_workqueue_active)", "waiting": "sum(flow_workqueue_depth)"},
                ),
                Panel(
                    "Longest wait",
                    "Longest time that a run has waited for a slot.",
                    {"{{instance}}": "max by (instance) (flow_workqueue_oldest_seconds)"},
                    "s",
                ),
                Panel(
                    "Shards held",
                    "By replica; the sum should be the number of shards.",
                    {"{{instance}}": "sum by (instance) (flow_shards_held)", "all": "max(flow_shards)"},
                ),
            ),
            (
                Panel(
                    "Lag of the event loop",
                    "Delay of due work, 99th percentile.",
                    {
                        "{{instance}}": "histogram_quantile(0.99, sum by (instance, le) "
                        f"(rate(flow_event_loop_lag_seconds_bucket{RATE})))"
                    },
                    "s",
                ),
                Panel("CPU", "Cores.", {"{{instance}}": f"{_process('rate(process_cpu_seconds_total' + RATE + ')')}"}),
                Panel("Memory", "Resident.", {"{{instance}}": _process("process_resident_memory_bytes")}, "bytes"),
            ),
        ),
    )


def workflow() -> dict[str, Any]:
    """For the owners of a workflow: whether it works, and which step does not."""
    return dashboard(
        "flow-workflow",
        "Flow / Workflow",
        "One workflow: its runs, steps and undos. Metrics of steps are counted for all namespaces together.",
        [
            variable("workflow", "label_values(flow_runs, workflow)", several=False),
            variable("namespace", f"label_values(flow_runs{{{ONE}}}, namespace)", several=True),
        ],
        (
            (
                _number(
                    "Runs in progress",
                    "Not ended.",
                    f'sum(flow_runs{{{WHERE}, phase=~"Pending|Running|Suspend"}}) or vector(0)',
                ),
                _number(
                    "Parked",
                    "Runs with an undo that needs a decision.",
                    f"sum(flow_runs_parked{{{WHERE}}}) or vector(0)",
                ),
                Panel(
                    "Success",
                    "Share of successful runs among those that ended in the last hour.",
                    {"": _success()},
                    "percentunit",
                    stat=True,
                ),
            ),
            (
                Panel("Runs by phase", "Current number.", {"{{phase}}": f"sum by (phase) (flow_runs{{{WHERE}}})"}),
                Panel(
                    "Runs ended",
                    "Per second, by final phase.",
                    {"{{phase}}": f"sum by (phase) (rate(flow_run_duration_seconds_count{{{ONE}}}{RATE}))"},
                    "ops",
                ),
                Panel("Duration", "Including the undo.", _quantiles("flow_run_duration_seconds", ONE), "s"),
            ),
            (
                Panel(
                    "Attempts by step",
                    "Per second.",
                    {"{{step}}": f'sum by (step) (rate(flow_attempts_total{{{ONE}, direction="do"}}{RATE}))'},
                    "ops",
                ),
                Panel(
                    "Retried, by step",
                    "Share of attempts that must be retried: unreachable, too slow, 429 or 5xx.",
                    {"{{step}}": _retried("step", f'{ONE}, direction="do"')},
                    "percentunit",
                ),
                Panel(
                    "Failed, by step",
                    "Attempts per second that failed and are not retried.",
                    {"{{step}}": f'sum by (step) (rate(flow_attempts_total{{{ONE}, verdict="Failure"}}{RATE}))'},
                    "ops",
                ),
            ),
            (
                Panel(
                    "Undo attempts by step",
                    "Per second, by verdict.",
                    {
                        "{{step}} {{verdict}}": "sum by (step, verdict) "
                        f'(rate(flow_attempts_total{{{ONE}, direction="undo"}}{RATE}))'
                    },
                    "ops",
                ),
                Panel(
                    "Undos ended",
                    "In the last hour, by result: Success, or Failure if given up.",
                    {"{{phase}}": f"sum by (phase) (increase(flow_compensations_total{{{ONE}}}[1h]))"},
                ),
            ),
        ),
    )


def text(model: dict[str, Any]) -> str:
    """The file of a dashboard."""
    return json.dumps(model, indent=1, ensure_ascii=False) + "\n"


def _number(title: str, description: str, query: str) -> Panel:
    return Panel(title, description, {"": query}, stat=True)


def _not_held() -> str:
    return "max(flow_shards) - sum(flow_shards_held)"


def _quantiles(metric: str, where: str) -> dict[str, str]:
    selected = f"{metric}_bucket{{{where}}}" if where else f"{metric}_bucket"
    return {
        f"p{percent}": f"histogram_quantile(0.{percent}, sum by (le) (rate({selected}{RATE})))" for percent in (50, 95)
    }


def _attempt_quantiles() -> dict[str, str]:
    return _quantiles("flow_attempt_duration_seconds", "")


def _retried(by: str, where: str) -> str:
    again = f'{where}, verdict="Retry"' if where else 'verdict="Retry"'
    return (
        f"sum by ({by}) (rate(flow_attempts_total{{{again}}}{RATE})) "
        f"/ sum by ({by}) (rate(flow_attempts_total{{{where}}}{RATE}))"
    )


def _success() -> str:
    ended = "flow_run_duration_seconds_count"
    return f'sum(increase({ended}{{{ONE}, phase="Success"}}[1h])) / sum(increase({ended}{{{ONE}}}[1h]))'


def _process(expression: str) -> str:
    return f"sum by (instance) ({expression} * on (job, instance) group_left flow_build_info)"
