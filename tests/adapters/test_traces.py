"""Traces by OTLP: where to, and what a receiver that does not work costs (nothing)."""

import logging
import sys
from collections.abc import Iterator
from functools import partial

import pytest
from aiohttp.test_utils import unused_port
from tests.adapters.otlp_receiver import OtlpReceiver, attributes
from tests.cli.stories import begin, go_on
from tests.controlplane import eventually

from flow_operator.adapters import otlp
from flow_operator.adapters.traces import Tracer, open_tracer

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


class Drops:
    """Counts."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, number: int) -> None:
        self.number += number


@pytest.fixture
def drops() -> Drops:
    """How many spans were dropped."""
    return Drops()


def _has_dropped(drops: Drops, number: int) -> bool:
    return drops.number == number


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """A receiver that works."""
    with OtlpReceiver() as running:
        yield running


def tracer_to(endpoint: str, drops: Drops, monkeypatch: pytest.MonkeyPatch, **more: str) -> Tracer:
    """A tracer with this endpoint in its environment."""
    environment = {ENDPOINT: endpoint, **more}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return open_tracer(environment, "flow-0", drops)


def end_a_run(tracer: Tracer) -> None:
    """A run with one step fails: two spans."""
    story = begin("start\nanswer fraud 422")
    before = story.world.stored
    go_on(story, "answer reserve 422")
    tracer.stored(story.world.run, before, story.world.stored)


def test_spans_arrive(receiver: OtlpReceiver, drops: Drops, monkeypatch: pytest.MonkeyPatch) -> None:
    tracer = tracer_to(receiver.url, drops, monkeypatch)
    end_a_run(tracer)
    tracer.close()
    attempt, run = receiver.spans
    assert (attempt.name, run.name) == ("reserve", "order")
    assert attempt.parent_span_id == run.span_id
    assert attempt.trace_id == run.trace_id
    assert run.parent_span_id == b""
    assert (attempt.status.code, attempt.status.message) == (attempt.status.STATUS_CODE_ERROR, "HTTP 422")
    assert attributes(attempt.attributes)["http.response.status_code"] == 422
    (resource,) = receiver.resources
    assert (resource["service.name"], resource["service.instance.id"]) == ("flow-operator", "flow-0")
    assert drops.number == 0


def test_the_name_of_the_service_can_be_given(
    receiver: OtlpReceiver, drops: Drops, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"OTEL_SERVICE_NAME": "sagas", "OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=a,team=orders"}
    tracer = tracer_to(receiver.url, drops, monkeypatch, **given)
    end_a_run(tracer)
    tracer.close()
    (resource,) = receiver.resources
    assert (resource["service.name"], resource["service.instance.id"], resource["team"]) == ("sagas", "a", "orders")


def test_a_receiver_that_is_away_costs_nothing_but_spans(
    drops: Drops, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(otlp, "CLOSING_SECONDS", 0.2)
    tracer = tracer_to(f"http://127.0.0.1:{unused_port()}", drops, monkeypatch)
    end_a_run(tracer)
    tracer.close()
    eventually(lambda: drops.number == 2, within=10, what="both spans dropped and counted")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "the receiver of traces does not take them" in caplog.text


def test_a_receiver_that_refuses_is_told_of_once_and_may_come_back(
    receiver: OtlpReceiver, drops: Drops, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(otlp, "PAUSE_SECONDS", 0.01)
    tracer = tracer_to(receiver.url, drops, monkeypatch)
    receiver.code = 400
    for spans in (2, 4):
        end_a_run(tracer)
        eventually(partial(_has_dropped, drops, spans), within=10, what="the spans dropped")
    receiver.code = 200
    end_a_run(tracer)
    tracer.close()
    assert len(receiver.spans) == 2
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


def test_a_mistake_in_the_exporter_costs_spans_and_not_the_exporter(
    receiver: OtlpReceiver, drops: Drops, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def mistaken(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(otlp, "PAUSE_SECONDS", 0.01)
    tracer = tracer_to(receiver.url, drops, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(otlp, "_readable", mistaken)
        end_a_run(tracer)
        eventually(lambda: drops.number == 2, within=10, what="the spans dropped")
    end_a_run(tracer)
    tracer.close()
    assert len(receiver.spans) == 2
    assert "a mistake" in caplog.text


def test_more_spans_than_the_queue_holds_are_dropped_and_counted(
    receiver: OtlpReceiver, drops: Drops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "QUEUED", 3)
    monkeypatch.setattr(otlp, "PAUSE_SECONDS", 60)
    tracer = tracer_to(receiver.url, drops, monkeypatch)
    for _ in range(5):
        end_a_run(tracer)
    assert drops.number == 7
    tracer.close()
    assert len(receiver.spans) == 3


@pytest.mark.parametrize(
    "environment", [{}, {ENDPOINT: ""}, {ENDPOINT: "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}]
)
def test_nothing_is_exported_unless_it_is_asked_for(
    environment: dict[str, str], drops: Drops, caplog: pytest.LogCaptureFixture
) -> None:
    tracer = open_tracer(environment, "flow-0", drops)
    end_a_run(tracer)
    tracer.close()
    assert (drops.number, caplog.records) == (0, [])


def test_without_the_extra_one_line_says_so(
    drops: Drops, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for module in ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "flow_operator.adapters.otlp"):
        monkeypatch.setitem(sys.modules, module, None)
    tracer = open_tracer({ENDPOINT: "http://collector:4318"}, "flow-0", drops)
    end_a_run(tracer)
    tracer.close()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "http://collector:4318" in record.getMessage()
    assert record.getMessage().endswith("install flow-operator[otlp]")


def test_a_protocol_that_is_not_spoken_is_said(drops: Drops, caplog: pytest.LogCaptureFixture) -> None:
    open_tracer({ENDPOINT: "http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "flow-0", drops).close()
    assert [record.getMessage() for record in caplog.records] == [
        "no traces are exported: grpc is asked for, and only http/protobuf is spoken"
    ]
