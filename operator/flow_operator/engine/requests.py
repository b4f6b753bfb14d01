"""What is sent. A request is a pure function of what is stored, so it can be rendered again, byte for byte.

The digest proves it: sha256 over method, URL, sorted user headers and body (semantics: Remember before you act, 4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from flow_operator.api.duration import seconds
from flow_operator.api.reasons import Reason
from flow_operator.api.status import CallStatus, Direction, RequestRecord
from flow_operator.api.step import BODILESS_METHODS
from flow_operator.engine.contract import Attempt
from flow_operator.engine.expressions.evaluation import ExpressionError
from flow_operator.engine.expressions.json_text import NotJSON, write
from flow_operator.engine.expressions.templates import RenderedTooLarge, render_text
from flow_operator.engine.identity import traceparent
from flow_operator.engine.messages.headers import JSON_TYPE, problem
from flow_operator.engine.messages.limits import INLINE_BYTES, REQUEST_BYTES
from flow_operator.engine.messages.observation import Request
from flow_operator.engine.messages.payload import store
from flow_operator.engine.snapshot import Snapshot, body_of, call_definition, header_of


class Unrenderable(Exception):
    """The request could not be built, so nothing was sent."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rendered:
    """A request without what changes from attempt to attempt."""

    method: str
    url: str
    header: Mapping[str, str]
    body: bytes | None
    record: RequestRecord


def rendered(snapshot: Snapshot, id: str, direction: Direction, service_url: str, stored: str | None) -> Rendered:
    """The request of this call, sent to the `stored` URL if it was sent before. Raises Unrenderable."""
    call = call_definition(snapshot.definition.by_id[id], direction)
    try:
        url = stored or _url(snapshot, id, direction, service_url)
        method = call.endpoint.http_method if call.endpoint.url else "POST"
        header = dict(header_of(snapshot, id, direction))
        value = None if method in BODILESS_METHODS else body_of(snapshot, id, direction)
        body = None if method in BODILESS_METHODS else write(value).encode()
    except RenderedTooLarge as error:
        raise Unrenderable(Reason.PAYLOAD_TOO_LARGE, str(error)) from error
    except (ExpressionError, NotJSON) as error:
        raise Unrenderable(Reason.EXPRESSION_ERROR, str(error)) from error
    for name, text in header.items():
        if (wrong := problem(name, text)) is not None:
            raise Unrenderable(Reason.INVALID_REQUEST, wrong)
    if body is not None and len(body) > REQUEST_BYTES:
        raise Unrenderable(Reason.PAYLOAD_TOO_LARGE, f"the request has {len(body)} bytes, the limit is {REQUEST_BYTES}")
    size = len(body or b"")
    payload = store(value) if body is not None and size <= INLINE_BYTES else {}
    record = RequestRecord.model_validate(
        {"method": method, "url": url, "digest": digest(method, url, header, body), "size": size,
         "header": header or None, **payload}
    )  # fmt: skip
    return Rendered(method, url, header, body, record)


def digest(method: str, url: str, header: Mapping[str, str], body: bytes | None) -> str:
    """`sha256:` over all that makes a request the same request."""
    head = write([method, url, [[name, header[name]] for name in sorted(header)]]).encode()
    return "sha256:" + sha256(head + b"\n" + (body or b"")).hexdigest()


def _url(snapshot: Snapshot, id: str, direction: Direction, service_url: str) -> str:
    call = call_definition(snapshot.definition.by_id[id], direction)
    endpoint = call.endpoint
    if endpoint.service is not None:
        return service_url.format(
            service=endpoint.service,
            namespace=snapshot.run.namespace,
            port=endpoint.port,
            method=endpoint.method,
        )
    url = endpoint.url or ""
    if "${" in url:
        url = render_text(call.url_template, snapshot.scope(id, direction))
    if not _absolute(url):
        raise Unrenderable(Reason.INVALID_REQUEST, f"{url!r} is no absolute http or https URL without credentials")
    return url


def _absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return False
    printable = url.isprintable() and " " not in url
    return printable and parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def attempt_of(snapshot: Snapshot, id: str, direction: Direction, call: CallStatus, sent: Rendered) -> Attempt:
    """The attempt that the status announces, with Flow's own headers."""
    definition = call_definition(snapshot.definition.by_id[id], direction)
    run, trace = snapshot.run, snapshot.status.trace
    assert call.attempt_id is not None
    assert call.idempotency_key is not None
    assert trace is not None
    own = {
        "idempotency-key": call.idempotency_key,
        "x-flow-execution": f"{run.namespace}/{run.name}",
        "x-flow-step": id,
        "x-flow-operation": direction.value,
        "x-flow-attempt": str(call.attempts),
        "traceparent": traceparent(trace, call.attempt_id),
    }
    content_type = {} if sent.body is None else {"content-type": JSON_TYPE}
    request = Request(
        method=sent.method,
        url=sent.url,
        header={**content_type, **sent.header, **own},
        body=sent.body,
        connect_timeout=seconds(definition.connect_timeout),
        request_timeout=seconds(definition.request_timeout),
    )
    return Attempt(call.attempt_id, id, direction, call.attempts, request)
