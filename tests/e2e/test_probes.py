"""What kubelet and Prometheus ask the operator, and how it ends when it is asked to."""

import pytest
from examples.order.services import Mode
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e


def test_healthy_ready_and_counted(shop: Shop, sagas: Sagas) -> None:
    shop.define(sagas.chain("order", "Stock.Reserve", "Courier.Ship"))
    shop.start("order", "fine")
    shop.until_ended("fine")
    shop.behave("Courier.Ship", Mode.DECLINE)
    shop.behave("Stock.Release", Mode.UNAVAILABLE)
    shop.start("order", "parked")
    shop.until_phase("parked", "Suspend")

    assert shop.operator.get("/healthz") == "ok\n"
    assert shop.operator.get("/readyz") == "ok\n"
    where = f'namespace="{shop.namespace}"'
    for line in (
        f'flow_runs{{{where},phase="Success",workflow="order"}} 1.0',
        f'flow_runs{{{where},phase="Suspend",workflow="order"}} 1.0',
        f'flow_runs_parked{{{where},workflow="order"}} 1.0',
        'flow_attempts_total{direction="do",step="a",verdict="Success",workflow="order"} 2.0',
        'flow_attempts_total{direction="do",step="b",verdict="Failure",workflow="order"} 1.0',
        'flow_attempts_total{direction="undo",step="a",verdict="Retry",workflow="order"} 2.0',
        'flow_run_duration_seconds_count{phase="Success",workflow="order"} 1.0',
    ):
        shop.operator.until_metric(line)
    text = shop.operator.get("/metrics")
    assert 'flow_status_writes_total{result="stored"}' in text
    assert "flow_build_info{" in text
    assert "flow_attempt_duration_seconds_count 6.0" in text


def test_it_ends_at_once_with_code_0_when_nothing_is_in_flight(shop: Shop) -> None:
    shop.operator.ask_to_end()

    assert shop.operator.wait(5) == 0


def test_an_address_that_is_taken_is_one_line_and_exit_code_2(shop: Shop) -> None:
    code, output = shop.operator.run_another()

    assert code == 2
    (line,) = output.splitlines()
    assert line.startswith("flow-operator: FLOW_HTTP_LISTEN: ")
