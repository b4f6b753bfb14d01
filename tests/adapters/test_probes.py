"""What kubelet and Prometheus get to see."""

import urllib.error
import urllib.request
from asyncio import to_thread
from collections import Counter

import pytest
from aiohttp.test_utils import unused_port

from flow_operator.adapters.metrics import Metrics
from flow_operator.adapters.probes import Probes
from flow_operator.api.status import Direction, Verdict
from flow_operator.reconciler.reconciler import RunCounts
from flow_operator.reconciler.runs import Queue

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def asked(probes: Probes, path: str, accept: str = "*/*") -> tuple[int, str, str]:
    """Code, content type and body."""
    port = unused_port()
    runner = await probes.serve("127.0.0.1", port)

    def ask() -> tuple[int, str, str]:
        try:
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Accept": accept})
            answer = urllib.request.urlopen(request, timeout=5)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()

    try:
        return await to_thread(ask)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_all_is_well(path: str) -> None:
    code, _, body = await asked(Probes(lambda: None, lambda: None, Metrics()), path)
    assert (code, body) == (200, "ok\n")


async def test_what_is_wrong_is_said() -> None:
    probes = Probes(lambda: "no watches", lambda: "not listed", Metrics())
    assert (await asked(probes, "/healthz"))[::2] == (503, "no watches\n")
    assert (await asked(probes, "/readyz"))[::2] == (503, "not listed\n")


async def test_the_metrics_have_the_names_of_the_contract() -> None:
    metrics = Metrics()
    waiting = Counter({("shop", "order", "SlotUnavailable"): 3})
    counts = RunCounts(Counter({("shop", "order", "Running"): 2}), Counter({("shop", "order"): 1}), waiting)
    metrics.count(lambda: counts)
    metrics.count_circuits(lambda: ["payments:80"])
    metrics.count_queue(lambda: Queue(depth=3, oldest=1.5, active=7))
    metrics.attempt("order", "charge", Direction.DO, Verdict.RETRY, 0.2, TRACE)
    metrics.run_ended("order", "Success", 3.0, TRACE)
    metrics.undo_ended("order", "Failure", TRACE)
    metrics.lag(0.2)
    metrics.status_write("stored")
    metrics.listed("WorkflowExecution", 4500)
    metrics.count_shards(4, lambda: 3)
    metrics.count_answer_memory(lambda: 65536)
    metrics.count_lookups(lambda: 2)
    code, kind, body = await asked(Probes(lambda: None, lambda: None, metrics), "/metrics")
    assert code == 200
    assert kind.startswith("text/plain; version=0.0.4")
    lines = body.splitlines()
    assert 'flow_runs{namespace="shop",phase="Running",workflow="order"} 2.0' in lines
    assert 'flow_runs_waiting{namespace="shop",reason="SlotUnavailable",workflow="order"} 3.0' in lines
    assert 'flow_circuit_open{host="payments:80"} 1.0' in lines
    assert 'flow_runs_parked{namespace="shop",workflow="order"} 1.0' in lines
    assert 'flow_attempts_total{direction="do",step="charge",verdict="Retry",workflow="order"} 1.0' in lines
    assert "flow_attempt_duration_seconds_count 1.0" in lines
    assert 'flow_run_duration_seconds_sum{phase="Success",workflow="order"} 3.0' in lines
    assert 'flow_status_writes_total{result="stored"} 1.0' in lines
    assert 'flow_compensations_total{phase="Failure",workflow="order"} 1.0' in lines
    assert "flow_workqueue_depth 3.0" in lines
    assert "flow_workqueue_oldest_seconds 1.5" in lines
    assert "flow_workqueue_active 7.0" in lines
    assert 'flow_event_loop_lag_seconds_bucket{le="0.25"} 1.0' in lines
    assert 'flow_list_objects{kind="WorkflowExecution"} 4500.0' in lines
    assert "flow_answer_memory_bytes 65536.0" in lines
    assert "flow_lookups_waiting 2.0" in lines
    assert "flow_shards 4.0" in lines
    assert "flow_shards_held 3.0" in lines
    assert [line for line in lines if line.startswith("flow_build_info{") and line.endswith(" 1.0")]
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)
    assert not [line for line in lines if "_created" in line]
    assert TRACE not in body


async def test_who_asks_for_openmetrics_is_told_a_trace_of_each_series() -> None:
    metrics = Metrics()
    metrics.attempt("order", "charge", Direction.DO, Verdict.RETRY, 0.2, TRACE)
    metrics.run_ended("order", "Failure", 3.0, TRACE)
    metrics.undo_ended("order", "Success", TRACE)

    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"
    _, kind, body = await asked(Probes(lambda: None, lambda: None, metrics), "/metrics", accept)

    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith("# EOF\n")
    told = [line.partition("{")[0] for line in body.splitlines() if f'# {{trace_id="{TRACE}"}}' in line]
    assert told == [
        "flow_attempts_total",
        "flow_attempt_duration_seconds_bucket",
        "flow_run_duration_seconds_bucket",
        "flow_compensations_total",
    ]


def test_a_workflow_that_is_gone_leaves_no_series() -> None:
    metrics = Metrics()
    for workflow in ("order", "refund"):
        metrics.attempt(workflow, "charge", Direction.DO, Verdict.SUCCESS, 0.2, None)
        metrics.run_ended(workflow, "Success", 3.0, None)
        metrics.undo_ended(workflow, "Success", None)

    metrics.forget("order")

    body, _ = metrics.exposition()
    assert b'workflow="order"' not in body
    assert body.count(b'workflow="refund"') > 3


async def test_an_address_that_is_taken_is_told() -> None:
    port = unused_port()
    probes = Probes(lambda: None, lambda: None, Metrics())
    runner = await probes.serve("127.0.0.1", port)
    with pytest.raises(OSError, match="address already in use"):
        await probes.serve("127.0.0.1", port)
    await runner.cleanup()
