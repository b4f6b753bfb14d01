"""Many calls at once over one session."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.adapters.raw_server import Behaviour, RawServer, Reader, Writer, raw_server, read_request
from tests.adapters.test_caller import GENEROUS, LOOPBACK, POST, answered, ok

from flow_operator.adapters.caller import Caller
from flow_operator.adapters.sessions import call_session


async def test_as_many_calls_as_wanted_are_in_flight_over_all_hosts() -> None:
    """More than aiohttp's 100: the connector has no limit of its own."""
    everybody_here = asyncio.Event()

    def make(state: RawServer) -> Behaviour:
        async def act(reader: Reader, writer: Writer) -> None:
            state.record(await read_request(reader))
            if len(state.requests) == 150:
                everybody_here.set()
            await everybody_here.wait()
            writer.write(ok(b"Connection: close"))

        return act

    patient = replace(POST, connect_timeout=GENEROUS, request_timeout=GENEROUS)
    async with raw_server(make) as server, call_session(LOOPBACK) as session:
        caller = Caller(session)
        hosts = ["127.0.0.1", "localhost"]
        calls = [caller.call(replace(patient, url=f"http://{host}:{server.port}/")) for host in hosts * 75]
        expected = answered(connection="close", content_length="2")
        assert all(observation == expected for observation in await asyncio.gather(*calls))
