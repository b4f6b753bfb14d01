"""Every alert fires when it should, ends when it should, and has its section of the runbook."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from helm.monitoring.alerts import ALERTS, rules

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"


@dataclass(frozen=True, slots=True)
class Course:
    """What a minute-by-minute course of the metrics makes of an alert."""

    series: dict[str, str]
    quiet: int
    """A minute at which it does not fire yet."""
    fires: int
    ended: int


PARKED = 'flow_runs_parked{namespace="shop", workflow="order"}'
SUSPENDED = 'flow_runs{namespace="shop", workflow="order", phase="Suspend"}'
PENDING = 'flow_runs{namespace="shop", workflow="order", phase="Pending"}'
GIVEN_UP = 'flow_compensations_total{workflow="order", phase="Failure"}'
CHARGED = 'flow_attempts_total{{workflow="order", step="charge", direction="do", verdict="{}"}}'
WRITTEN = 'flow_status_writes_total{{result="{}"}}'
LAG = 'flow_event_loop_lag_seconds_bucket{{job="flow", instance="one", le="{}"}}'

COURSES = {
    "FlowRunParked": [Course({PARKED: "0x4 2x10 0x10"}, 4, 7, 17)],
    "FlowCompensationFailed": [
        Course({GIVEN_UP: "0x4 1x40"}, 4, 6, 25),
        Course({GIVEN_UP: "_x4 1x40"}, 3, 6, 25),  # the first that this series tells of
    ],
    "FlowServiceFailing": [
        Course({CHARGED.format("Retry"): "0x10 0+6x20 120x20", CHARGED.format("Success"): "0+6x10 60+2x60"}, 9, 25, 45)
    ],
    "FlowNotLeading": [
        Course({'flow_shards{instance="one"}': "4x40", 'flow_shards_held{instance="one"}': "4x4 3x9 4x20"}, 5, 9, 20),
        Course({'flow_shards{instance="one"}': "1x4 stale _x9 1x9", "flow_shards_held": "1x30"}, 3, 9, 20),
        Course({'flow_shards{instance="one"}': "2x30", 'flow_shards_held{instance="one"}': "0x9 2x20"}, 1, 5, 15),
    ],
    "FlowStatusWritesFailing": [
        Course(
            {
                WRITTEN.format("stored"): "0+60x60",
                WRITTEN.format("conflict"): "0+60x60",
                WRITTEN.format("unavailable"): "0x10 0+60x20 1200x30",
            },
            10,
            25,
            45,
        )
    ],
    "FlowWritesRefused": [
        Course({WRITTEN.format("stored"): "0+6000x60", WRITTEN.format("refused"): "0x10 0+1x20 20x30"}, 18, 25, 40),
        Course({WRITTEN.format("stored"): "0+6000x60", WRITTEN.format("refused"): "_x10 1+1x20 21x30"}, 18, 25, 40),
        Course({WRITTEN.format("stored"): "0+6000x60", WRITTEN.format("refused"): "0x5 3x15 3+1x20 23x20"}, 15, 35, 50),
    ],
    "FlowWorkqueueStuck": [Course({'flow_workqueue_oldest_seconds{instance="one"}': "5x5 20+60x9 0x9"}, 9, 13, 18)],
    "FlowEventLoopSlow": [
        Course(
            {
                LAG.format("0.5"): "0+120x10 1200+60x20 2400+120x30",
                LAG.format("2.5"): "0+120x60",
                LAG.format("+Inf"): "0+120x60",
            },
            10,
            25,
            45,
        )
    ],
    "FlowRunSuspended": [Course({SUSPENDED: "3x50 1x20", PARKED: "1x70"}, 25, 40, 60)],
    "FlowRunNotStarted": [Course({PENDING: "1x30 0x20"}, 10, 20, 40)],
}


@pytest.fixture(scope="module")
def promtool() -> str:
    """Prometheus' own tool for rules."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("needs promtool, which comes with Prometheus")
    return found


def test_every_alert_has_a_course_that_proves_it() -> None:
    assert set(COURSES) == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("name", COURSES)
def test_an_alert_fires_and_ends(name: str, promtool: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(rules())
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in course.series.items()],
                "promql_expr_test": [
                    firing(name, course.quiet, 0),
                    firing(name, course.fires, 1),
                    firing(name, course.ended, 0),
                ],
            }
            for course in COURSES[name]
        ],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(document))

    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def firing(name: str, minute: int, times: int) -> dict[str, object]:
    """That an alert fires so many times at a minute."""
    return {
        "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}})',
        "eval_time": f"{minute}m",
        "exp_samples": [{"value": times, "labels": "{}"}] if times else [],
    }


def test_each_alert_has_a_section_of_the_runbook_and_each_section_an_alert() -> None:
    sections = re.findall(r"^## (\w+)$", RUNBOOK.read_text(), re.MULTILINE)

    assert sections == [alert.name for alert in ALERTS]


def test_each_section_says_what_it_means_how_to_look_and_what_to_do() -> None:
    for section in RUNBOOK.read_text().split("\n## ")[1:]:
        name = section.partition("\n")[0]
        told = re.findall(r"^\*\*(.+?)\*\*", section, re.MULTILINE)
        assert told == ["What it means.", "How to look.", "What to do."], name
