"""What a session does not do: send twice, keep cookies, believe unasked answers, connect where it must not."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from tests.adapters.raw_server import Behaviour, RawServer, Reader, Writer, raw_server, read_request
from tests.adapters.test_caller import GENEROUS, LOOPBACK, POST, SHORT, answer, answered, hang, ok, seen

from flow_operator.adapters.caller import Caller
from flow_operator.adapters.egress import Destinations, Rules
from flow_operator.adapters.guard import EgressDenied
from flow_operator.adapters.lookups import Lookups
from flow_operator.adapters.sessions import ConnectionLost, api_server_session, call_session
from flow_operator.engine.messages.observation import Answered, Denied, NoAnswer, NotSent

PATIENT = replace(POST, connect_timeout=GENEROUS, request_timeout=GENEROUS)
CERTIFICATE = Path(__file__).with_name("localhost.pem")


def answers_once_per_connection(state: RawServer) -> Behaviour:
    """Answers the first request, keeps the connection, and closes it upon the second."""

    async def act(reader: Reader, writer: Writer) -> None:
        state.record(await read_request(reader))
        writer.write(ok())
        await writer.drain()
        state.record(await read_request(reader))

    return act


def answers_all(state: RawServer) -> Behaviour:
    async def act(reader: Reader, writer: Writer) -> None:
        while True:
            state.record(await read_request(reader))
            writer.write(ok(b"Set-Cookie: session=secret; Path=/"))
            await writer.drain()

    return act


@pytest.mark.fault(
    "the service drops a kept connection as the next request comes",
    "That request is not sent again unseen: Retry/Unknown",
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "POST"])
async def test_a_request_into_a_dropped_connection_is_not_sent_again(method: str) -> None:
    request = replace(PATIENT, method=method, body=b"{}" if method in ("PUT", "POST") else None)
    async with raw_server(answers_once_per_connection) as server, call_session(LOOPBACK) as session:
        caller = Caller(session)
        assert await caller.call(replace(PATIENT, url=server.url)) == answered(content_length="2")
        assert seen(await caller.call(replace(request, url=server.url))) == NoAnswer("ConnectionLost", "")
        assert (server.connections, len(server.requests)) == (1, 2)


async def test_nor_does_the_session_for_the_api_server_send_again() -> None:
    async with raw_server(answers_once_per_connection) as server, api_server_session() as session:
        async with session.put(server.url, data=b"{}") as response:
            assert response.status == 200
        with pytest.raises(ConnectionLost):
            await session.put(server.url, data=b"{}")
        assert (server.connections, len(server.requests)) == (1, 2)


@pytest.mark.fault("the operator loses its lease while it connects", "Nothing is sent")
async def test_what_may_not_be_sent_any_more_when_the_connection_is_there_is_not_sent() -> None:
    async with raw_server(answers_all) as server, call_session(LOOPBACK) as session:
        caller = Caller(session)
        request = replace(PATIENT, url=server.url)
        assert await caller.call(request, lambda: False) is None
        assert isinstance(await caller.call(request, lambda: True), Answered)
        assert await caller.call(request, lambda: False) is None, "on the connection that was kept"
        assert len(server.requests) == 1


@pytest.mark.fault("the service sets cookies", "None is kept, none is sent")
async def test_a_connection_is_kept_and_no_cookie_is() -> None:
    async with raw_server(answers_all) as server, call_session(LOOPBACK) as session:
        caller = Caller(session)
        for _ in range(3):
            await caller.call(replace(PATIENT, url=server.url))
        assert (server.connections, len(server.requests)) == (1, 3)
        assert not any(b"cookie" in request.lower() for request in server.requests)


@pytest.mark.fault("the service says more than is read", "The connection is not used again")
async def test_a_connection_with_more_to_say_is_not_kept() -> None:
    """After an answer that was too large or cut off, the rest of it would be taken for the next answer."""
    async with raw_server(answer(ok(body=bytes(8_000_000)), hang)) as server, call_session(LOOPBACK) as session:
        caller = Caller(session)
        for _ in range(2):
            await caller.call(replace(PATIENT, url=server.url))
        assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.fault(
    "the service says something unasked on a kept connection",
    "That connection is not used again: it answers nothing",
)
async def test_what_is_said_unasked_on_a_kept_connection_answers_nothing() -> None:
    speak, spoken = asyncio.Event(), asyncio.Event()

    def make(state: RawServer) -> Behaviour:
        async def act(reader: Reader, writer: Writer) -> None:
            first = state.connections == 1
            state.record(await read_request(reader))
            writer.write(ok())
            await writer.drain()
            if first:
                await speak.wait()
                writer.write(ok(body=b"forged"))
                await writer.drain()
                spoken.set()
            await reader.read()

        return act

    async with raw_server(make) as server, raw_server(answer(ok())) as other, call_session(LOOPBACK) as session:
        caller = Caller(session)
        assert await caller.call(replace(PATIENT, url=server.url)) == answered(content_length="2")
        speak.set()
        await spoken.wait()
        await caller.call(replace(PATIENT, url=other.url))  # meanwhile what was said has arrived
        assert await caller.call(replace(PATIENT, url=server.url)) == answered(content_length="2")
        assert (server.connections, len(server.requests)) == (2, 2)


class Names(aiohttp.abc.AbstractResolver):
    """A DNS that says what the test wants, another thing each time if there are several, and never if there is none."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        if not self._answers:
            await asyncio.Event().wait()
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            aiohttp.abc.ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def named(rules: Rules, *answers: list[str]) -> aiohttp.ClientSession:
    """A session whose names lead to these addresses."""
    return call_session(rules, lookups=Lookups(Names(*answers), keep_seconds=0))


OPEN_2 = Rules(allow=Destinations.parse("127.0.0.2"))
GUARDED: dict[str, tuple[Rules, list[str], str, object]] = {
    # the rules, the addresses that the name has, the host in the URL, and what was seen; the server is on 127.0.0.1
    "an address in the URL": (Rules(), [], "127.0.0.1", Denied("")),
    "an address in the URL, mapped": (Rules(), [], "[::ffff:127.0.0.1]", Denied("")),
    "an address in the URL, in hexadecimal": (Rules(), ["127.0.0.1"], "0x7f.0.0.1", Denied("")),
    "a name with a denied address": (Rules(), ["127.0.0.1"], "orders.example", Denied("")),
    "a name with the metadata service's address": (Rules(), ["169.254.169.254"], "orders.example", Denied("")),
    "a name with denied addresses only": (Rules(), ["127.0.0.1", "::1", "0.0.0.0"], "orders.example", Denied("")),
    "a name with an allowed address": (LOOPBACK, ["127.0.0.1"], "orders.example", answered(content_length="2")),
    "an allowed name": (
        Rules(allow=Destinations.parse("orders.example")),
        ["127.0.0.1"],
        "Orders.Example.",
        answered(content_length="2"),
    ),
    "a name beside the allowed one": (
        Rules(allow=Destinations.parse("orders.example")),
        ["127.0.0.1"],
        "evil.example",
        Denied(""),
    ),
    "a denied name": (Rules(deny=Destinations.parse("orders.example")), ["127.0.0.1"], "orders.example", Denied("")),
    "a denied and an allowed address": (
        LOOPBACK,
        ["127.0.0.9", "127.0.0.1"],
        "a.example",
        answered(content_length="2"),
    ),
    "a denied and a deaf address": (OPEN_2, ["127.0.0.1", "127.0.0.2"], "a.example", NotSent("ConnectionRefused", "")),
}


@pytest.mark.fault(
    "the service's name leads to loopback, metadata or another denied address, written in any way",
    "Failure/None EgressDenied; nothing is sent",
)
@pytest.mark.parametrize(("rules", "found", "host", "expected"), GUARDED.values(), ids=GUARDED)
async def test_the_guard_sees_every_dial(rules: Rules, found: list[str], host: str, expected: object) -> None:
    async with raw_server(answer(ok())) as server, named(rules, found) as session:
        request = replace(PATIENT, url=f"http://{host}:{server.port}/")
        assert seen(await Caller(session).call(request)) == expected
        assert server.connections == (1 if expected == answered(content_length="2") else 0)


@pytest.mark.fault(
    "the service's name changes its address between check and connection (DNS rebinding)",
    "The address really connected to is judged: Failure/None EgressDenied",
)
async def test_a_name_that_changes_its_address_is_judged_by_the_one_it_has_now() -> None:
    def make(state: RawServer) -> Behaviour:
        return answer(ok(b"Connection: close"))(state)

    async with raw_server(make) as server, named(LOOPBACK, ["127.0.0.1"], ["127.0.0.2"]) as session:
        caller = Caller(session)
        request = replace(PATIENT, url=f"http://rebound.example:{server.port}/")
        assert seen(await caller.call(request)) == answered(connection="close", content_length="2")
        assert seen(await caller.call(request)) == Denied("")
        assert server.connections == 1


@pytest.mark.fault("the name server does not answer", "Retry/None ConnectTimeout")
@pytest.mark.parametrize(("connect", "total"), [(SHORT, GENEROUS), (GENEROUS, SHORT)])
async def test_a_name_that_is_looked_up_for_too_long_was_not_sent(connect: float, total: float) -> None:
    async with named(LOOPBACK) as session:
        request = replace(POST, url="http://orders.example/", connect_timeout=connect, request_timeout=total)
        assert seen(await Caller(session).call(request)) == NotSent("ConnectTimeout", "")


@pytest.mark.fault(
    "a redirect leads to a denied address",
    "It is not followed; if it were, the connection would be refused",
)
async def test_a_redirect_that_somebody_follows_is_guarded_too() -> None:
    away = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.9/\r\nContent-Length: 0\r\n\r\n"
    async with raw_server(answer(away)) as server, call_session(LOOPBACK) as session:
        with pytest.raises(aiohttp.ClientConnectorError, match="loopback"):
            await session.get(server.url)


async def test_without_its_middleware_the_guard_still_holds() -> None:
    rules = Rules(allow=Destinations.parse("localhost"))
    async with raw_server(answer(ok())) as server, call_session(rules) as session:
        url = f"http://localhost:{server.port}/"
        with pytest.raises(aiohttp.ClientConnectorError, match="loopback"):
            await session.get(url, middlewares=())
        async with session.get(url) as response:
            assert response.status == 200


async def test_a_denied_name_is_not_looked_up() -> None:
    rules = Rules(deny=Destinations.parse("nowhere.invalid"))
    async with call_session(rules) as session:
        with pytest.raises(EgressDenied, match="FLOW_EGRESS_DENY"):
            await session.get("http://nowhere.invalid/")


def tls_server() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def tls_client() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


TLS: dict[str, tuple[Callable[[RawServer], Behaviour], bool, bool, str, object]] = {
    # what the service does, whether with TLS, whether its certificate is trusted, the host in the URL, what was seen
    "trusted": (answer(ok()), True, True, "localhost", answered(content_length="2")),
    "not trusted": (answer(ok()), True, False, "localhost", NotSent("TLSFailure", "")),
    "another name": (answer(ok()), True, True, "127.0.0.1", NotSent("TLSFailure", "")),
    "no TLS there": (answer(ok(), asked=False), False, True, "localhost", NotSent("TLSFailure", "")),
    "closed in the handshake": (answer(b"", asked=False), False, True, "localhost", NotSent("TLSFailure", "")),
    "half an answer": (answer(ok(length=9)), True, True, "localhost", NoAnswer("IncompleteAnswer", "", 200)),
    "no answer": (answer(b""), True, True, "localhost", NoAnswer("ConnectionLost", "")),
}


@pytest.mark.parametrize(("behaviour", "encrypted", "trusted", "host", "expected"), TLS.values(), ids=TLS)
async def test_tls(
    behaviour: Callable[[RawServer], Behaviour], encrypted: bool, trusted: bool, host: str, expected: object
) -> None:
    tls = tls_client() if trusted else None
    served = raw_server(behaviour, tls=tls_server() if encrypted else None)
    async with served as server, call_session(LOOPBACK, tls=tls) as session:
        request = replace(PATIENT, url=f"https://{host}:{server.port}/")
        assert seen(await Caller(session).call(request)) == expected


@pytest.mark.fault("the TLS handshake hangs", "Retry/None ConnectTimeout")
async def test_a_handshake_that_hangs_is_a_connect_timeout() -> None:
    async with raw_server(answer(b"", hang, asked=False)) as server, call_session(LOOPBACK) as session:
        request = replace(PATIENT, url=f"https://localhost:{server.port}/", connect_timeout=SHORT)
        assert seen(await Caller(session).call(request)) == NotSent("ConnectTimeout", "")


async def test_who_speaks_first_on_a_new_connection_speaks_no_http() -> None:
    """In TLS 1.2 the greeting comes together with the end of the handshake, that is before the request is written."""
    tls = tls_server()
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    greeting = answer(b"220 ready\r\n", hang, asked=False)
    async with raw_server(greeting, tls=tls) as server, call_session(LOOPBACK, tls=tls_client()) as session:
        request = replace(PATIENT, url=f"https://localhost:{server.port}/")
        observation = await Caller(session).call(request)
        assert isinstance(observation, NoAnswer)
        assert observation.reason in ("NotHTTP", "ConnectionLost")  # the latter since Python 3.12
        assert server.connections == 1


async def test_tls_without_it_is_no_http() -> None:
    async with raw_server(answer(ok()), tls=tls_server()) as server, call_session(LOOPBACK) as session:
        observation = await Caller(session).call(replace(PATIENT, url=server.url))
        assert isinstance(observation, NoAnswer)
        assert observation.reason in ("NotHTTP", "ConnectionLost")
