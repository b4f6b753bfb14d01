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


async def asked(probes: Probes, path: str) -> tuple[int, str, str]:
    """Code, content type and body."""
    port = unused_port()
    runner = await probes.serve("127.0.0.1", port)

    def ask() -> tuple[int, str, str]:
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5)
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
    metrics.count(lambda: (Counter({("shop", "order", "Running"): 2}), Counter({("shop", "order"): 1})))
    metrics.attempt("order", "charge", Direction.DO, Verdict.RETRY, 0.2)
    metrics.run_ended("order", "Success", 3.0)
    metrics.status_write("stored")
    metrics.count_shards(4, lambda: 3)
    code, kind, body = await asked(Probes(lambda: None, lambda: None, metrics), "/metrics")
    assert code == 200
    assert kind.startswith("text/plain; version=0.0.4")
    lines = body.splitlines()
    assert 'flow_runs{namespace="shop",phase="Running",workflow="order"} 2.0' in lines
    assert 'flow_runs_parked{namespace="shop",workflow="order"} 1.0' in lines
    assert 'flow_attempts_total{direction="do",step="charge",verdict="Retry",workflow="order"} 1.0' in lines
    assert "flow_attempt_duration_seconds_count 1.0" in lines
    assert 'flow_run_duration_seconds_sum{phase="Success",workflow="order"} 3.0' in lines
    assert 'flow_status_writes_total{result="stored"} 1.0' in lines
    assert "flow_shards 4.0" in lines
    assert "flow_shards_held 3.0" in lines
    assert [line for line in lines if line.startswith("flow_build_info{") and line.endswith(" 1.0")]
    assert not [line for line in lines if "_created" in line]


async def test_an_address_that_is_taken_is_told() -> None:
    port = unused_port()
    probes = Probes(lambda: None, lambda: None, Metrics())
    runner = await probes.serve("127.0.0.1", port)
    with pytest.raises(OSError, match="address already in use"):
        await probes.serve("127.0.0.1", port)
    await runner.cleanup()
