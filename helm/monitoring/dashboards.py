"""The two dashboards: all runs and the operators that bring them on; and one workflow."""

import json
from typing import Any

from helm.monitoring.panels import Panel, dashboard, variable

RATE = "[$__rate_interval]"
ONE = 'workflow="$workflow"'
WHERE = f'namespace=~"$namespace", {ONE}'


def fleet() -> dict[str, Any]:
    """For who is on call: is all well, and if not, where."""
    return dashboard(
        "flow-fleet",
        "Flow / Fleet",
        "All runs, the services they call, and the operators that bring them on.",
        [],
        (
            (
                _number(
                    "Runs under way", "Started and not ended.", 'sum(flow_runs{phase=~"Running|Suspend"}) or vector(0)'
                ),
                _number("Parked", "Runs whose undo waits for a person.", "sum(flow_runs_parked) or vector(0)"),
                _number("Shards not held", "Nobody acts for the runs of these.", _not_held()),
                _number("Operators", "Replicas that are scraped.", "count(flow_build_info)"),
            ),
            (
                Panel("Runs by phase", "As of now.", {"{{phase}}": "sum by (phase) (flow_runs)"}),
                Panel(
                    "Runs ended",
                    "Each second, by the phase they ended in.",
                    {"{{phase}}": f"sum by (phase) (rate(flow_run_duration_seconds_count{RATE}))"},
                    "ops",
                ),
                Panel("Duration of runs", "Undo included.", _quantiles("flow_run_duration_seconds", ""), "s"),
            ),
            (
                Panel(
                    "Attempts",
                    "Calls to services that ended, each second, by verdict.",
                    {"{{verdict}}": f"sum by (verdict) (rate(flow_attempts_total{RATE}))"},
                    "ops",
                ),
                Panel(
                    "Services that fail",
                    "The ten steps with the largest share of attempts that have to be tried again.",
                    {"{{workflow}}/{{step}}": f"topk(10, {_retried('workflow, step', '')})"},
                    "percentunit",
                ),
                Panel("Duration of attempts", "Waiting for a place at the host aside.", _attempt_quantiles(), "s"),
            ),
            (
                Panel(
                    "Undos ended",
                    "In the last hour: Success, or given up in Failure.",
                    {"{{phase}}": "sum by (phase) (increase(flow_compensations_total[1h]))"},
                ),
                Panel(
                    "Parked by workflow",
                    "Runs whose undo waits for a person.",
                    {"{{namespace}}/{{workflow}}": "sum by (namespace, workflow) (flow_runs_parked)"},
                ),
                Panel(
                    "Status writes",
                    "Each second, by what became of them. A conflict is somebody else's write, and no fault.",
                    {"{{result}}": f"sum by (result) (rate(flow_status_writes_total{RATE}))"},
                    "ops",
                ),
            ),
            (
                Panel(
                    "Work queue",
                    "Runs that are acted on, and runs that wait for room.",
                    {"active": "sum(flow_workqueue_active)", "waiting": "sum(flow_workqueue_depth)"},
                ),
                Panel(
                    "Longest wait",
                    "Of the runs that wait for room.",
                    {"{{instance}}": "max by (instance) (flow_workqueue_oldest_seconds)"},
                    "s",
                ),
                Panel(
                    "Shards held",
                    "By replica; together they ought to be all.",
                    {"{{instance}}": "sum by (instance) (flow_shards_held)", "all": "max(flow_shards)"},
                ),
            ),
            (
                Panel(
                    "Lag of the event loop",
                    "How late an operator comes to what is due: one moment in a hundred is later.",
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
    """For who owns a workflow: how it does, and which of its steps does not."""
    return dashboard(
        "flow-workflow",
        "Flow / Workflow",
        "One workflow: its runs, its steps and its undos. What is counted of steps is counted for all namespaces.",
        [
            variable("workflow", "label_values(flow_runs, workflow)", several=False),
            variable("namespace", f"label_values(flow_runs{{{ONE}}}, namespace)", several=True),
        ],
        (
            (
                _number(
                    "Runs under way",
                    "Not ended.",
                    f'sum(flow_runs{{{WHERE}, phase=~"Pending|Running|Suspend"}}) or vector(0)',
                ),
                _number("Parked", "Its undo waits for a person.", f"sum(flow_runs_parked{{{WHERE}}}) or vector(0)"),
                Panel(
                    "Success",
                    "Share of the runs that ended in the last hour.",
                    {"": _success()},
                    "percentunit",
                    stat=True,
                ),
            ),
            (
                Panel("Runs by phase", "As of now.", {"{{phase}}": f"sum by (phase) (flow_runs{{{WHERE}}})"}),
                Panel(
                    "Runs ended",
                    "Each second, by the phase they ended in.",
                    {"{{phase}}": f"sum by (phase) (rate(flow_run_duration_seconds_count{{{ONE}}}{RATE}))"},
                    "ops",
                ),
                Panel("Duration", "Undo included.", _quantiles("flow_run_duration_seconds", ONE), "s"),
            ),
            (
                Panel(
                    "Attempts by step",
                    "Each second.",
                    {"{{step}}": f'sum by (step) (rate(flow_attempts_total{{{ONE}, direction="do"}}{RATE}))'},
                    "ops",
                ),
                Panel(
                    "Tried again, by step",
                    "Share of the attempts: the service was away, slow, or said so.",
                    {"{{step}}": _retried("step", f'{ONE}, direction="do"')},
                    "percentunit",
                ),
                Panel(
                    "Refused, by step",
                    "Attempts that failed for good, each second.",
                    {"{{step}}": f'sum by (step) (rate(flow_attempts_total{{{ONE}, verdict="Failure"}}{RATE}))'},
                    "ops",
                ),
            ),
            (
                Panel(
                    "Undo attempts by step",
                    "Each second, by verdict.",
                    {
                        "{{step}} {{verdict}}": "sum by (step, verdict) "
                        f'(rate(flow_attempts_total{{{ONE}, direction="undo"}}{RATE}))'
                    },
                    "ops",
                ),
                Panel(
                    "Undos ended",
                    "In the last hour: Success, or given up in Failure.",
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
