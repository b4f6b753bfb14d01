"""What a service does, byte by byte → what the caller says it saw → what the engine makes of it."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from aiohttp.helpers import DEBUG
from tests.adapters.gzip_bomb import UNPACKED, gzip_bomb
from tests.adapters.raw_server import Behaviour, RawServer, Reader, Writer, raw_server, read_request

from flow_operator.adapters.caller import ANSWER_LIMIT, Caller
from flow_operator.adapters.egress import Destinations, Rules
from flow_operator.adapters.sessions import USER_AGENT, call_session
from flow_operator.api.step import Outcome
from flow_operator.engine.messages.observation import Answered, Denied, NoAnswer, NotSent, Observation, Request
from flow_operator.engine.verdicts import judge_do

LOOPBACK = Rules(allow=Destinations.parse("127.0.0.1, localhost"))
SHORT = 1.0
"""Seconds for what has to time out, and long enough for a connection on a busy machine."""
POST = Request("POST", "", {"content-type": "application/json", "x-tenant": "acme"}, b"{}", SHORT, SHORT)
GENEROUS = 10.0
"""Seconds for what must not time out, however slow the machine is."""

Make = Callable[[RawServer], Behaviour]
Then = Callable[[Writer], Awaitable[None]]


async def close(_writer: Writer) -> None:
    """End the connection in an orderly way, which is what happens when a behaviour returns."""


async def hang(_writer: Writer) -> None:
    await asyncio.Event().wait()


async def reset(writer: Writer) -> None:
    """End the connection with a RST, as a crash or a firewall does."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def answer(data: bytes, then: Then = close, *, asked: bool = True) -> Make:
    """Read the request (unless not `asked`), write these bytes, and then close, hang or reset."""

    def make(state: RawServer) -> Behaviour:
        async def act(reader: Reader, writer: Writer) -> None:
            if asked:
                state.record(await read_request(reader))
            writer.write(data)
            await writer.drain()
            await then(writer)

        return act

    return make


def endless(start: bytes, piece: bytes, seconds: float = 0.0) -> Make:
    """Read the request, write the start, and then the piece again and again."""

    async def pieces(writer: Writer) -> None:
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(seconds)

    return answer(start, pieces)


def ok(*lines: bytes, body: bytes = b"ok", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"Content-Length: %d" % size, b"", body])


def answered(body: bytes = b"ok", code: int = 200, **header: str) -> Answered:
    return Answered(code, {name.replace("_", "-"): value for name, value in header.items()}, body)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TOO_LARGE = Answered(200, {"content-length": str(ANSWER_LIMIT + 1)}, b"", too_large=True)
SMALL_BOMB = gzip.compress(bytes(4 * 1024 * 1024))

# What a service does that works well, and what the caller sees.
SOUND: dict[str, tuple[Make, Answered]] = {
    # complete answers
    "an answer": (answer(ok()), answered(content_length="2")),
    "no content": (answer(b"HTTP/1.1 204 No Content\r\n\r\n"), answered(b"", 204)),
    "a body that ends with the connection": (answer(b"HTTP/1.1 200 OK\r\n\r\nall"), answered(b"all")),
    "HTTP/1.0": (answer(b"HTTP/1.0 200 OK\r\n\r\nall"), answered(b"all")),
    "chunks": (answer(CHUNKED + b"2\r\nok\r\n0\r\n\r\n"), answered(transfer_encoding="chunked")),
    "early hints first": (
        answer(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok()),
        answered(content_length="2"),
    ),
    # what is in an answer
    "a repeated header": (answer(ok(b"X-A: 1", b"x-a: 2")), answered(x_a="1, 2", content_length="2")),
    # the size limit
    "just as large as allowed": (
        answer(ok(body=bytes(ANSWER_LIMIT))),
        answered(bytes(ANSWER_LIMIT), content_length=str(ANSWER_LIMIT)),
    ),
}

# What else is an answer, what the caller sees, and what the engine makes of it.
STRANGE: dict[str, tuple[Make, Answered, str]] = {
    "says no (409)": (
        answer(b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n"),
        answered(b"", 409, content_length="0"),
        "Failure/None Conflict",
    ),
    "is overloaded (429)": (
        answer(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"),
        answered(b"", 429, retry_after="7", content_length="0"),
        "Retry/None TooManyRequests",
    ),
    "a redirect to the metadata service": (
        answer(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
        answered(b"", 302, location="http://169.254.169.254/", content_length="0"),
        "Failure/None Redirect",
    ),
    "a redirect to itself": (
        answer(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        answered(b"", 307, location="/", content_length="0"),
        "Failure/None Redirect",
    ),
    "more bytes than announced, as a second answer": (
        answer(ok() + ok(body=b"no")),
        answered(content_length="2"),
        "Success/Applied",
    ),
    "4 MiB in 4 KiB of gzip": (
        answer(ok(b"Content-Encoding: gzip", body=SMALL_BOMB)),
        answered(SMALL_BOMB, content_encoding="gzip", content_length=str(len(SMALL_BOMB))),
        "Success/Applied",
    ),
    "2 GiB in 2 MiB of gzip": (
        answer(ok(b"Content-Encoding: gzip", body=gzip_bomb())),
        Answered(200, {"content-encoding": "gzip", "content-length": str(len(gzip_bomb()))}, b"", too_large=True),
        "Failure/Applied PayloadTooLarge",
    ),
    "an answer one byte too large": (
        answer(ok(body=bytes(ANSWER_LIMIT + 1)), hang),
        TOO_LARGE,
        "Failure/Applied PayloadTooLarge",
    ),
    "an endless answer": (
        endless(CHUNKED, b"2000\r\n" + bytes(0x2000) + b"\r\n"),
        Answered(200, {"transfer-encoding": "chunked"}, b"", too_large=True),
        "Failure/Applied PayloadTooLarge",
    ),
}

# What is no answer, the status code if one was seen, and what the engine makes of it.
LOST: dict[str, tuple[Make, int | None, str]] = {
    # silence
    "hangs after accept": (answer(b"", hang, asked=False), None, "Retry/Unknown RequestTimeout"),
    "hangs after the request": (answer(b"", hang), None, "Retry/Unknown RequestTimeout"),
    "hangs within the header": (answer(b"HTTP/1.1 200 OK\r\nX-A: ", hang), None, "Retry/Unknown RequestTimeout"),
    "hangs after the header": (answer(ok(body=b"", length=2), hang), 200, "Retry/Unknown RequestTimeout"),
    "a drip of bytes": (endless(ok(body=b"", length=99999), b"x", 0.01), 200, "Retry/Unknown RequestTimeout"),
    "endless informational answers": (
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),
        None,
        "Retry/Unknown RequestTimeout",
    ),
    # the connection goes away
    "closes after accept": (answer(b"", asked=False), None, "Retry/Unknown ConnectionLost"),
    "closes after the request": (answer(b""), None, "Retry/Unknown ConnectionLost"),
    "resets after the request": (answer(b"", reset), None, "Retry/Unknown ConnectionLost"),
    "half a status line": (answer(b"HTTP/1.1 20"), None, "Retry/Unknown ConnectionLost"),
    "half a header": (answer(b"HTTP/1.1 200 OK\r\nContent-Le"), 200, "Retry/Unknown IncompleteAnswer"),
    "half a body": (answer(ok(length=10)), 200, "Retry/Unknown IncompleteAnswer"),
    "half a body of an error": (
        answer(b"HTTP/1.1 503 Unavailable\r\nContent-Length: 9\r\n\r\nno"),
        503,
        "Retry/Unknown IncompleteAnswer",
    ),
    "half a chunk": (answer(CHUNKED + b"5\r\nab"), 200, "Retry/Unknown IncompleteAnswer"),
    "no last chunk": (answer(CHUNKED + b"2\r\nab\r\n"), 200, "Retry/Unknown IncompleteAnswer"),
    # no HTTP
    "speaks SSH": (answer(b"SSH-2.0-OpenSSH_9.9\r\n", hang, asked=False), None, "Retry/Unknown NotHTTP"),
    "speaks HTTP/0.9": (answer(b"hello"), None, "Retry/Unknown NotHTTP"),
    "sends noise": (answer(bytes(range(256))), None, "Retry/Unknown NotHTTP"),
    "endless header lines": (endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 100), None, "Retry/Unknown NotHTTP"),
    "an endless header line": (endless(b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 4096), None, "Retry/Unknown NotHTTP"),
    "NUL in a header": (answer(ok(b"X-A: a\0b")), None, "Retry/Unknown NotHTTP"),
    "two lengths": (answer(ok(b"Content-Length: 3")), None, "Retry/Unknown NotHTTP"),
    "a length and chunks": (answer(ok(b"Transfer-Encoding: chunked")), None, "Retry/Unknown NotHTTP"),
    "a negative length": (answer(ok(length=-2)), None, "Retry/Unknown NotHTTP"),
    "a length that is too short": (answer(ok(body=b"okmore", length=2)), None, "Retry/Unknown NotHTTP"),
    "another protocol, unasked": (
        answer(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc"),
        101,
        "Retry/Unknown NotHTTP",
    ),
    "answers with a status code of its own": (
        answer(b"HTTP/1.1 999 Enough\r\nContent-Length: 0\r\n\r\n"),
        999,
        "Retry/Unknown NotHTTP",
    ),
}


def seen(observation: Observation | None) -> Observation:
    """The observation without its message, which is for people; it is bounded and fit to be shown."""
    assert observation is not None
    if isinstance(observation, Answered):
        return observation
    assert 0 < len(observation.message) < 700
    assert observation.message.isprintable()
    return replace(observation, message="")


async def called(behaviour: Make, *, patience: float = GENEROUS) -> Observation:
    """What is seen of a service that behaves so, in one call over one connection."""
    async with raw_server(behaviour) as server, call_session(LOOPBACK) as session:
        request = replace(POST, url=server.url, connect_timeout=GENEROUS, request_timeout=patience)
        observation = await Caller(session).call(request)
        assert server.connections == 1
        assert observation is not None
        return observation


def meaning(observation: Observation) -> str:
    """What the engine makes of it (semantics, "Two facts per attempt"): verdict, effect and reason."""
    judged = judge_do(observation, Outcome(), {}, conflicted=False)
    return f"{judged.verdict}/{judged.effect} {judged.reason or ''}".strip()


@pytest.mark.parametrize(("behaviour", "expected"), SOUND.values(), ids=SOUND)
async def test_an_answer_is_what_the_caller_saw(behaviour: Make, expected: Answered) -> None:
    observation = await called(behaviour)
    assert observation == expected
    assert meaning(observation) == "Success/Applied"


@pytest.mark.fault(STRANGE)
@pytest.mark.parametrize(("behaviour", "expected", "means"), STRANGE.values(), ids=STRANGE)
async def test_a_strange_answer_is_an_answer(behaviour: Make, expected: Answered, means: str) -> None:
    observation = await called(behaviour)
    assert observation == expected
    assert meaning(observation) == means


@pytest.mark.fault(LOST)
@pytest.mark.parametrize(("behaviour", "code", "means"), LOST.values(), ids=LOST)
async def test_what_is_no_whole_answer_is_none(behaviour: Make, code: int | None, means: str) -> None:
    observation = await called(behaviour, patience=SHORT if "Timeout" in means else GENEROUS)
    reason = means.rpartition(" ")[2]
    assert seen(observation) == NoAnswer(reason, "", code)
    assert meaning(observation) == means


@pytest.mark.fault("2 GiB in 2 MiB of gzip, and an endless answer", "No more memory than the size limit takes")
@pytest.mark.parametrize("name", ["2 GiB in 2 MiB of gzip", "an endless answer"])
async def test_the_memory_that_an_answer_takes_is_bounded(name: str) -> None:
    tracemalloc.start()
    try:
        assert (await called(STRANGE[name][0])) == STRANGE[name][1]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < UNPACKED // 128


@pytest.mark.fault("control characters in the status line and in headers", "They are taken out; the answer counts")
@pytest.mark.skipif(DEBUG, reason="aiohttp is stricter in Python's development mode")
async def test_control_characters_are_taken_out() -> None:
    escape = ok(b"X-A: \x1b[31mred\x07\x7f\xc2\x9b \xff").replace(b" OK", b" O\x1b[2JK")
    assert await called(answer(escape)) == answered(x_a="[31mred", content_length="2")


async def test_exactly_the_given_header_is_sent_and_four_of_ours() -> None:
    async with raw_server(answer(ok())) as server, call_session(LOOPBACK) as session:
        request = replace(POST, url=server.url + "a%2Fb?q=1", header={"X-Tenant": "acme", "accept-encoding": "gzip"})
        await Caller(session).call(replace(request, request_timeout=GENEROUS))
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        line, *header = head.decode().split("\r\n")
        assert line == "POST /a%2Fb?q=1 HTTP/1.1"
        assert sorted(header) == [
            "Accept-Encoding: identity",
            "Content-Length: 2",
            f"Host: 127.0.0.1:{server.port}",
            f"User-Agent: {USER_AGENT}",
            "X-Tenant: acme",
        ]
        assert body == b"{}"


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("GET", None, None), ("HEAD", None, None), ("POST", None, "0"), ("POST", b"", "0"), ("PUT", b"abc", "3")],
)
async def test_a_body_is_sent_as_given(method: str, body: bytes | None, length: str | None) -> None:
    async with raw_server(answer(b"HTTP/1.1 204 No Content\r\n\r\n")) as server, call_session(LOOPBACK) as session:
        request = replace(POST, method=method, url=server.url, body=body, request_timeout=GENEROUS)
        assert await Caller(session).call(request) == answered(b"", 204)
        head, _, sent = server.requests[0].partition(b"\r\n\r\n")
        lengths = [line[16:] for line in head.decode().split("\r\n") if line.startswith("Content-Length: ")]
        assert (sent, lengths) == (body or b"", [] if length is None else [length])


async def test_a_head_request_has_no_body_whatever_length_is_announced() -> None:
    async with raw_server(answer(ok(body=b"", length=10**9))) as server, call_session(LOOPBACK) as session:
        request = replace(POST, method="HEAD", url=server.url, body=None, request_timeout=GENEROUS)
        assert await Caller(session).call(request) == answered(b"", content_length="1000000000")


REFUSED: dict[str, Request] = {
    "no URL": replace(POST, url="orders"),
    "no host": replace(POST, url="http:///orders"),
    "another scheme": replace(POST, url="ftp://orders/"),
    "a port that is none": replace(POST, url="http://orders:99999/"),
    "credentials and a host that is none": replace(POST, url="http://user:secret@or\u2100ders/"),
    "credentials": replace(POST, url="http://user:secret@orders/"),
    "a line break in the URL": replace(POST, url="http://orders/\r\nX-A: b"),
    "half a character in the URL": replace(POST, url="http://orders/\ud800"),
    "a host that is no name": replace(POST, url="http://or ders/"),
    "an address in disguise": replace(POST, url="http://2130706433/"),
    "an address in a shorter disguise": replace(POST, url="http://127.1/"),
    "a line break in a header": replace(POST, url="http://orders/", header={"x-a": "1\r\nx-b: 2"}),
    "half a character in a header": replace(POST, url="http://orders/", header={"x-a": "\ud800"}),
    "a line break in a name": replace(POST, url="http://orders/", header={"x-a: 1\r\nx-b": "2"}),
    "a header that frames": replace(POST, url="http://orders/", header={"Transfer-Encoding": "chunked"}),
    "another host": replace(POST, url="http://orders/", header={"Host": "billing"}),
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
async def test_a_request_that_no_engine_builds_is_not_sent(request_: Request) -> None:
    async with call_session(LOOPBACK) as session:
        observation = await Caller(session).call(request_)
        assert seen(observation) == Denied("")
        assert "secret" not in str(observation)


@pytest.mark.fault("nobody listens at the service's port", "Retry/None ConnectionRefused")
async def test_a_refused_connection_was_not_sent() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port
        request = replace(POST, url=f"http://127.0.0.1:{bound.getsockname()[1]}/", connect_timeout=GENEROUS)
        async with call_session(LOOPBACK) as session:
            observation = await Caller(session).call(replace(request, request_timeout=GENEROUS))
            assert seen(observation) == NotSent("ConnectionRefused", "")


@pytest.mark.fault("the service accepts no more connections", "Retry/None ConnectTimeout")
@pytest.mark.skipif(sys.platform != "linux", reason="how long the queue of a listener is differs")
async def test_a_full_backlog_is_a_connect_timeout_also_when_the_request_timeout_is_shorter() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):  # Linux queues one more than the backlog says
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        request = replace(POST, url=f"http://127.0.0.1:{full.getsockname()[1]}/")
        async with call_session(LOOPBACK) as session:
            caller = Caller(session)
            for connect, total in ((SHORT, GENEROUS), (GENEROUS, SHORT)):
                observation = await caller.call(replace(request, connect_timeout=connect, request_timeout=total))
                assert seen(observation) == NotSent("ConnectTimeout", "")


@pytest.mark.fault("the service's name has no address", "Retry/None NoAddress")
@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b", f"{'a' * 64}.example"])
async def test_a_host_without_an_address_was_not_sent(host: str) -> None:
    async with call_session(LOOPBACK) as session:
        request = replace(POST, url=f"http://{host}/", connect_timeout=GENEROUS, request_timeout=GENEROUS)
        assert seen(await Caller(session).call(request)) == NotSent("NoAddress", "")


async def test_a_closed_session_is_an_observation_too() -> None:
    session = call_session(LOOPBACK)
    await session.close()
    assert isinstance(await Caller(session).call(replace(POST, url="http://127.0.0.1:1/")), NotSent)


async def test_only_cancellation_is_raised() -> None:
    async with raw_server(answer(b"", hang)) as server, call_session(LOOPBACK) as session:
        request = replace(POST, url=server.url, connect_timeout=GENEROUS, request_timeout=GENEROUS)
        call = asyncio.create_task(Caller(session).call(request))
        await server.arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
