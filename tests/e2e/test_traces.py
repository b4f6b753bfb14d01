"""Traces of real runs, as a receiver of OTLP gets them."""

from collections.abc import Iterator
from typing import Any

import pytest
from examples.order.services import Mode
from tests.adapters.otlp_receiver import OtlpReceiver, attributes
from tests.controlplane import eventually
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

WITHIN = 30.0


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """A receiver that works."""
    with OtlpReceiver() as running:
        yield running


def spans_of(receiver: OtlpReceiver, run: str) -> list[dict[str, Any]]:
    """The spans of a run, by their time, in words."""
    spans = sorted(receiver.spans, key=lambda span: span.start_time_unix_nano)
    told: list[dict[str, Any]] = [
        {
            "name": span.name,
            "traceparent": f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01",
            "parent": span.parent_span_id.hex(),
            "failed": span.status.code == span.status.STATUS_CODE_ERROR,
            **attributes(span.attributes),
        }
        for span in spans
    ]
    return [span for span in told if span["flow.execution"].endswith(f"/{run}")]


def test_one_trace_a_span_per_attempt(bare_shop: Shop, receiver: OtlpReceiver, sagas: Sagas) -> None:
    """Retries and undos too; and the operator is killed in proxied_shop."""
    bare_shop.hire(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    bare_shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    bare_shop.behave("Stock.Reserve", Mode.UNAVAILABLE, times=1)
    bare_shop.behave("Payments.Charge", Mode.HOLD)
    bare_shop.behave("Courier.Ship", Mode.DECLINE)
    bare_shop.behave("Stock.Release", Mode.UNAVAILABLE, times=1)
    bare_shop.start("order")
    bare_shop.until_called("run", "b")
    eventually(lambda: len(spans_of(receiver, "run")) == 2, within=WITHIN, what="the spans of both attempts of a")
    bare_shop.operator.crash()
    bare_shop.works_again("Payments.Charge")
    trace = bare_shop.until_ended("run")["trace"]["traceparent"]

    eventually(lambda: len(spans_of(receiver, "run")) == 9, within=WITHIN, what="a span for each attempt and the run")
    spans = spans_of(receiver, "run")
    (root,) = [span for span in spans if not span["parent"]]
    attempts = [span for span in spans if span["parent"]]
    assert root["traceparent"] == trace
    assert (root["name"], root["failed"], root["flow.phase"], root["flow.compensation"]) == (
        "order",
        True,
        "Failure",
        "Success",
    )
    assert {span["parent"] for span in attempts} == {trace.split("-")[2]}
    calls = bare_shop.calls("run")
    assert [span["traceparent"] for span in attempts] == [call.traceparent for call in calls]
    assert [(span["name"], span["flow.operation"], span["flow.attempt"]) for span in attempts] == [
        (call.step, call.operation, call.attempt) for call in calls
    ]
    assert [(span["name"], span["flow.verdict"], span["failed"]) for span in attempts] == [
        ("a", "Retry", True),
        ("a", "Success", False),
        ("b", "Retry", True),
        ("b", "Success", False),
        ("c", "Failure", True),
        ("b", "Success", False),
        ("a", "Retry", True),
        ("a", "Success", False),
    ]
    assert attempts[2]["error.type"] == "AttemptLost"


def test_a_receiver_that_is_away_changes_no_run(bare_shop: Shop, receiver: OtlpReceiver, sagas: Sagas) -> None:
    receiver.code = 503
    operator = bare_shop.hire(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, OTEL_EXPORTER_OTLP_TIMEOUT="1")
    bare_shop.define(sagas.chain("order", "Stock.Reserve", "Courier.Ship"))
    bare_shop.start("order")
    assert bare_shop.until_ended("run")["phase"] == "Success"
    operator.until_metric("flow_spans_dropped_total 3.0")
    assert "the receiver of traces does not take them" in operator.log.read_text()


def test_what_is_left_is_exported_at_the_end(bare_shop: Shop, receiver: OtlpReceiver, sagas: Sagas) -> None:
    operator = bare_shop.hire(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    bare_shop.define(sagas.chain("order", "Stock.Reserve", "Courier.Ship"))
    bare_shop.start("order")
    bare_shop.until_ended("run")
    operator.ask_to_end()
    assert operator.wait(10) == 0
    assert {span["name"] for span in spans_of(receiver, "run")} == {"order", "a", "b"}
