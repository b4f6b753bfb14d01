"""A receiver of traces on loopback: OTLP over HTTP, decoded with OpenTelemetry's own protocol buffers."""

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Value = str | int


class OtlpReceiver:
    """A context manager. What it answers with can be changed at any time."""

    def __init__(self) -> None:
        self.code = 200
        self.answers: Counter[int] = Counter()
        """How often it has answered with a code."""
        self.spans: list[Span] = []
        self.resources: list[dict[str, Value]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Keep the spans, unless told to refuse them."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                code = receiver.code if self.path == "/v1/traces" else 404
                if code == 200:
                    receiver.keep(body)
                receiver.answers[code] += 1
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """The endpoint, for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def keep(self, body: bytes) -> None:
        """Add the spans of a request."""
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(attributes(group.resource.attributes))
            self.spans += [span for scope in group.scope_spans for span in scope.spans]

    def __enter__(self) -> "OtlpReceiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def attributes(pairs: object) -> dict[str, Value]:
    """Attributes as a dictionary."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}  # type: ignore[attr-defined]
