"""Traces by OTLP, when the standard variables of OpenTelemetry say where to: one trace per run, a span per attempt."""

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from flow_operator.adapters.spans import Span, ended
from flow_operator.api.status import ExecutionStatus
from flow_operator.engine.contract import Run

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN = "http/protobuf"


class Exporter(Protocol):
    """Takes spans to where they are received, in its own time."""

    def add(self, span: Span) -> None:
        """Take a span along, or drop it when there are too many. Returns at once."""
        ...

    def close(self) -> None:
        """Export what is left, for a few seconds at most."""
        ...


class Tracer:
    """Tells the exporter of every span that has ended; without one, nobody."""

    def __init__(self, exporter: Exporter | None) -> None:
        self._exporter = exporter

    def stored(self, run: Run, before: ExecutionStatus, after: ExecutionStatus) -> None:
        """The status of a run was `before` and is `after` now: attempts may have ended, and the run."""
        if self._exporter is None:
            return
        try:
            for span in ended(run, before, after):
                self._exporter.add(span)
        except Exception:
            # A run is worth more than its trace, whatever stands in its status.
            log.exception("run %s/%s cannot be traced", run.namespace, run.name)

    def close(self) -> None:
        """Export what is left, for a few seconds at most."""
        if self._exporter is not None:
            self._exporter.close()


def open_tracer(environment: Mapping[str, str], identity: str, on_drop: Callable[[int], None]) -> Tracer:
    """The tracer that the environment asks for; `identity` names this replica, `on_drop` is told of dropped spans.

    It exports if an endpoint is set, and says so in one warning if it cannot. All other variables are read by the
    exporter itself: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
    """
    endpoint = next((environment[name] for name in ENDPOINTS if environment.get(name)), None)
    if endpoint is None or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return Tracer(None)
    protocol = next((environment[name] for name in PROTOCOLS if environment.get(name)), SPOKEN)
    if protocol != SPOKEN:
        log.warning("no traces are exported: %s is asked for, and only %s is spoken", protocol, SPOKEN)
        return Tracer(None)
    try:
        from flow_operator.adapters.otlp import Otlp
    except ImportError as error:
        log.warning("no traces are exported to %s: %s; install flow-operator[otlp]", endpoint, error)
        return Tracer(None)
    return Tracer(Otlp(environment, identity, on_drop))
