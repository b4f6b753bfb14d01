"""A service that keeps the very bytes that it receives, and answers with the very bytes that it is told to."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class RawService:
    """A context manager; answers are given by path."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.received: dict[str, list[bytes]] = {}
        self.headers: dict[str, dict[str, str]] = {}
        """Of the last request, by path; names in small letters."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Keep the request, give the answer."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.received.setdefault(self.path, []).append(body)
                service.headers[self.path] = {name.lower(): value for name, value in self.headers.items()}
                answer = answers.get(self.path, b"null")
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def url(self, path: str) -> str:
        """Where a path is called."""
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def __enter__(self) -> "RawService":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
