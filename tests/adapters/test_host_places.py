"""A slow host fills its own places, and nobody else's."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.adapters.raw_server import Behaviour, RawServer, Reader, Writer, raw_server, read_request
from tests.adapters.test_caller import GENEROUS, LOOPBACK, POST, SHORT, answer, answered, hang, ok

from flow_operator.adapters.caller import Caller
from flow_operator.adapters.host_places import HostPlaces
from flow_operator.adapters.sessions import call_session
from flow_operator.engine.observation import NoAnswer, Observation, Request


async def call(caller: Caller, request: Request) -> Observation:
    """As the reconciler calls: first the place."""
    async with caller.place(request):
        return await caller.call(request)


PATIENT = replace(POST, connect_timeout=GENEROUS, request_timeout=GENEROUS)


@pytest.mark.fault(
    "a host is slow and many calls want it",
    "Calls to other hosts are not held up; waiting for a place does not count as the call's time",
)
async def test_a_slow_host_takes_no_other_hosts_share_and_waiting_is_not_on_the_clock() -> None:
    slow_server, quick_server = raw_server(answer(b"", hang)), raw_server(answer(ok()))
    async with slow_server as slow, quick_server as quick, call_session(LOOPBACK) as session:
        caller = Caller(session, per_host=2)
        brief = replace(PATIENT, url=slow.url, request_timeout=SHORT)  # an address: no name takes its time
        waiting = [asyncio.create_task(call(caller, brief)) for _ in range(6)]
        await slow.arrived.wait()
        other = replace(PATIENT, url=f"http://localhost:{quick.port}/")
        assert await call(caller, other) == answered(content_length="2")
        # Three rounds of two: if waiting counted, the later ones would not have been sent.
        assert {type(observation) for observation in await asyncio.gather(*waiting)} == {NoAnswer}
        assert len(slow.requests) == 6


async def test_as_many_calls_as_wanted_are_in_flight_over_all_hosts() -> None:
    """More than aiohttp's 100: the connector has no limit of its own, and a host's 50 are not 50 of all."""
    everybody_here = asyncio.Event()

    def make(state: RawServer) -> Behaviour:
        async def act(reader: Reader, writer: Writer) -> None:
            state.record(await read_request(reader))
            if len(state.requests) == 150:
                everybody_here.set()
            await everybody_here.wait()
            writer.write(ok(b"Connection: close"))

        return act

    async with raw_server(make) as server, call_session(LOOPBACK) as session:
        caller = Caller(session, per_host=75)
        hosts = ["127.0.0.1", "localhost"]
        calls = [call(caller, replace(PATIENT, url=f"http://{host}:{server.port}/")) for host in hosts * 75]
        expected = answered(connection="close", content_length="2")
        assert all(observation == expected for observation in await asyncio.gather(*calls))


async def test_places_are_given_in_order_and_given_back() -> None:
    places = HostPlaces(1)
    order: list[int] = []

    async def visit(number: int) -> None:
        async with places.at("orders"):
            order.append(number)
            await asyncio.sleep(0)

    async with places.at("orders"):
        visits = [asyncio.create_task(visit(number)) for number in range(4)]
        await asyncio.sleep(0)
        visits[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await visits[1]
        assert len(places) == 1
    await asyncio.gather(*visits, return_exceptions=True)
    assert order == [0, 2, 3]
    assert len(places) == 0
