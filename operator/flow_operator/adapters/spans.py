"""Which spans have ended between two statuses of a run. A function of what is stored, so a restart loses none.

The span of an attempt has the very id that its call carried in `traceparent`, and the run's span is its parent: what a
service tells of the call hangs below the attempt. A name is a step's or a workflow's; attributes without the prefix
`flow` are those of OpenTelemetry's semantic conventions for HTTP clients.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flow_operator.api.duration import seconds
from flow_operator.api.status import AttemptRecord, Direction, ExecutionStatus, Phase, RequestRecord, Trace, Verdict
from flow_operator.engine.contract import Run
from flow_operator.engine.identity import traceparent
from flow_operator.engine.state import Call, calls

Attributes = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Span:
    """A span that has ended. Ids are numbers, as OpenTelemetry has them."""

    name: str
    trace_id: int
    span_id: int
    parent_id: int | None
    start: datetime
    end: datetime
    attributes: Attributes = field(default_factory=dict)
    error: str | None = None
    """What went wrong, for people; None if nothing did."""


def ended(run: Run, before: ExecutionStatus, after: ExecutionStatus) -> Iterator[Span]:
    """The spans of the attempts that have ended, and at last the run's."""
    if after.trace is None:
        return
    in_flight = {(id, direction): call for id, direction, call in calls(before) if call.attempt_id}
    for id, direction, call in calls(after) if in_flight else ():
        begun = in_flight.get((id, direction))
        if begun is not None and begun.attempt_id != call.attempt_id and call.attempt_log:
            yield _attempt(run, after.trace, id, direction, begun, call.attempt_log[-1])
    if after.completion_time is not None and before.completion_time is None:
        yield _run(run, after, after.trace, after.completion_time)


def _attempt(run: Run, trace: Trace, id: str, direction: Direction, call: Call, record: AttemptRecord) -> Span:
    assert call.attempt_id is not None
    trace_id, span_id = _ids(traceparent(trace, call.attempt_id))
    _, parent_id = _ids(trace.traceparent)
    attributes: dict[str, str | int] = {
        **_about(run),
        "flow.step": id,
        "flow.operation": direction.value,
        "flow.attempt": record.attempt,
        "flow.verdict": record.verdict.value,
        "flow.effect": record.effect.value,
        **_http(call.request),
    }
    if record.code is not None:
        attributes["http.response.status_code"] = record.code
    failed = record.verdict is not Verdict.SUCCESS
    if failed and record.reason:
        attributes["error.type"] = record.reason
    end = record.time + timedelta(seconds=seconds(record.duration) if record.duration else 0)
    error = (record.message or record.reason or record.verdict.value) if failed else None
    return Span(id, trace_id, span_id, parent_id, record.time, end, attributes, error)


def _run(run: Run, status: ExecutionStatus, trace: Trace, end: datetime) -> Span:
    trace_id, span_id = _ids(trace.traceparent)
    attributes: dict[str, str | int] = {**_about(run), "flow.phase": status.phase.value}
    if status.compensation is not None and status.compensation.phase is not None:
        attributes["flow.compensation"] = status.compensation.phase.value
    error = None if status.phase is Phase.SUCCESS else status.message or status.reason or status.phase.value
    name = run.spec.workflow_ref.name
    return Span(name, trace_id, span_id, None, status.start_time or end, end, attributes, error)


def _about(run: Run) -> Attributes:
    return {"flow.execution": f"{run.namespace}/{run.name}", "flow.workflow": run.spec.workflow_ref.name}


def _http(request: RequestRecord | None) -> Attributes:
    """Method and address. A URL may hold what is nobody's business, so it is not told."""
    if request is None:
        return {}
    url = urlsplit(request.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    return {"http.request.method": request.method, "server.address": url.hostname or "", "server.port": port}


def _ids(traceparent: str) -> tuple[int, int]:
    _, trace_id, span_id, _ = traceparent.split("-")
    return int(trace_id, 16), int(span_id, 16)
