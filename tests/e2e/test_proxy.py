"""The proxy does to requests what it is told to, and nothing to the others."""

import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from tests.controlplane import eventually
from tests.e2e.proxy import Hold, Passing, Proxy, Rule, cut, expire, lose_answer, refuse

STATUS = "/apis/flow.unistack.org/v1alpha1/namespaces/shop/workflowexecutions/run/status"
WATCH = "/apis/flow.unistack.org/v1alpha1/workflowexecutions?watch=1&fieldSelector=a%3Db"


class Upstream(ThreadingHTTPServer):
    """Answers with what it was asked, and remembers it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = f"{self.command} {self.path} {body.decode()}"
        assert isinstance(self.server, Upstream)
        self.server.asked.append(asked)
        self.send_response(200)
        self.send_header("Content-Length", str(len(asked)))
        self.end_headers()
        self.wfile.write(asked.encode())

    do_GET = do_PUT = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A server."""
    with Upstream() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    """A proxy before it."""
    with Proxy(lambda path: f"http://127.0.0.1:{upstream.server_port}{path}") as proxy:
        yield proxy


def connection(proxy: Proxy) -> HTTPConnection:
    """One to the proxy."""
    return HTTPConnection(urlsplit(proxy.url).netloc, timeout=5)


def ask(proxy: Proxy, method: str = "PUT", path: str = STATUS, body: str | None = "{}") -> tuple[int, str] | None:
    """Code and body of the answer; None if the connection ended without a whole one."""
    asking = connection(proxy)
    try:
        asking.request(method, path, body)
        answer = asking.getresponse()
        return answer.status, answer.read().decode()
    except (HTTPException, OSError):
        return None
    finally:
        asking.close()


def of_the_run(passing: Passing) -> bool:
    """A write of the status of the run."""
    return (passing.resource, passing.name, passing.is_status) == ("workflowexecutions", "run", True)


def test_what_no_rule_wants_is_passed_on_as_it_is(proxy: Proxy) -> None:
    proxy.rules = [Rule(of_the_run, refuse(500))]
    assert ask(proxy, "GET", WATCH, None) == (200, f"GET {WATCH} ")


def test_a_lost_answer_is_one_to_what_was_done(proxy: Proxy, upstream: Upstream) -> None:
    proxy.rules = [Rule(of_the_run, lose_answer, every=2)]
    assert [ask(proxy) is None for _ in range(4)] == [True, False, True, False]
    assert len(upstream.asked) == 4


def test_what_is_refused_goes_no_further(proxy: Proxy, upstream: Upstream) -> None:
    proxy.rules = [Rule(of_the_run, refuse(429, 7), times=1)]
    code, said = ask(proxy) or (0, "")
    assert (code, "TooManyRequests" in said, upstream.asked) == (429, True, [])
    assert ask(proxy) == (200, f"PUT {STATUS} {{}}")


def test_a_watch_is_cut_or_told_that_it_is_too_late(proxy: Proxy, upstream: Upstream) -> None:
    proxy.rules = [Rule(lambda passing: passing.is_watch, cut, times=1), Rule(lambda _: True, expire)]
    assert ask(proxy, "GET", WATCH, None) is None
    assert len(upstream.asked) == 1
    assert '"code": 410' in (ask(proxy, "GET", WATCH, None) or (0, ""))[1]


@pytest.mark.parametrize("answer", [False, True], ids=["before", "after"])
def test_it_holds_before_or_after_until_the_other_side_is_gone(proxy: Proxy, upstream: Upstream, answer: bool) -> None:
    hold = Hold(answer=answer)
    proxy.rules = [Rule(of_the_run, hold)]
    asking = connection(proxy)
    asking.request("PUT", STATUS, "{}")
    eventually(lambda: hold.holds, within=5, what="it held")

    asking.close()
    eventually(lambda: not hold.holds, within=5, what="it gone")
    assert len(upstream.asked) == int(answer)
