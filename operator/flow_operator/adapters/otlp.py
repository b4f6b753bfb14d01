"""The exporter of spans: OpenTelemetry's own, fed by a thread from a bounded queue. Only `traces` imports this.

It dials by itself, without the egress guard: where to is told by whoever runs the operator, never by a workflow.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from queue import Empty, Full, Queue
from threading import Event, Thread

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from flow_operator import __version__
from flow_operator.adapters.spans import Span

log = logging.getLogger(__name__)

QUEUED = 2048
BATCH = 512
"""Both are what OpenTelemetry's batching processor has by default."""
PAUSE_SECONDS = 1.0
"""How long spans wait for company."""
CLOSING_SECONDS = 3.0

SCOPE = InstrumentationScope("flow_operator", __version__)


class Otlp:
    """Whatever the receiver does, adding a span takes no time; what it does not take in time is dropped and counted."""

    def __init__(self, environment: Mapping[str, str], identity: str, on_drop: Callable[[int], None]) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # what it has to say is said below, once
        self._resource = _resource(environment, identity)
        self._exporter = OTLPSpanExporter()
        self._on_drop = on_drop
        self._queue: Queue[Span] = Queue(QUEUED)
        self._ending = Event()
        self._taken = True
        self._thread = Thread(target=self._work, name="otlp", daemon=True)
        self._thread.start()

    def add(self, span: Span) -> None:
        """Take a span along, or drop it when there are too many. Returns at once."""
        try:
            self._queue.put_nowait(span)
        except Full:
            self._on_drop(1)

    def close(self) -> None:
        """Export what is left, for a few seconds at most."""
        self._ending.set()
        self._thread.join(CLOSING_SECONDS)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _work(self) -> None:
        ending = False
        while not ending:
            ending = self._ending.wait(PAUSE_SECONDS)
            while batch := self._batch():
                self._export(batch)

    def _batch(self) -> list[Span]:
        batch: list[Span] = []
        while len(batch) < BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except Empty:
                break
        return batch

    def _export(self, batch: list[Span]) -> None:
        taken = self._send(batch)
        if taken is not self._taken:
            self._taken = taken
            if taken:
                log.info("traces are exported again")
            else:
                log.warning("the receiver of traces does not take them: spans are dropped until it does")
        if not taken:
            self._on_drop(len(batch))

    def _send(self, batch: list[Span]) -> bool:
        """Whether the receiver has taken it."""
        try:
            spans = [_readable(span, self._resource) for span in batch]
            return self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception:
            # Whatever it is: if it ended this thread, nothing would be exported ever again, and nobody would know.
            if self._taken:
                log.exception("spans cannot be exported")
            return False


def _readable(span: Span, resource: Resource) -> ReadableSpan:
    parent = span.parent_id
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.span_id),
        parent=None if parent is None else _context(span.trace_id, parent),
        resource=resource,
        attributes=dict(span.attributes),
        kind=SpanKind.INTERNAL if parent is None else SpanKind.CLIENT,
        status=Status(StatusCode.UNSET) if span.error is None else Status(StatusCode.ERROR, span.error),
        start_time=_nanoseconds(span.start),
        end_time=_nanoseconds(span.end),
        instrumentation_scope=SCOPE,
    )


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000


def _resource(environment: Mapping[str, str], identity: str) -> Resource:
    """Who says so; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` count for more."""
    given = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    own = {"service.name": "flow-operator", "service.version": __version__, "service.instance.id": identity}
    if environment.get("OTEL_SERVICE_NAME"):
        del own["service.name"]
    return Resource.create({name: value for name, value in own.items() if f"{name}=" not in given})
