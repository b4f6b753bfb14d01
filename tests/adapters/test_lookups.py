"""How look-ups of names are shared between namespaces: one whose name servers are silent stops nobody else's calls."""

from __future__ import annotations

import asyncio
import socket
from contextvars import copy_context
from dataclasses import replace

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from tests.adapters.raw_server import raw_server
from tests.adapters.test_caller import GENEROUS, LOOPBACK, POST, SHORT, answer, ok, seen

from flow_operator.adapters.caller import Caller
from flow_operator.adapters.lookups import KEPT_NAMES, Lookups
from flow_operator.adapters.progress import Progress, progress
from flow_operator.adapters.sessions import call_session
from flow_operator.engine.messages.observation import Answered, NotSent


class Names(AbstractResolver):
    """A DNS that keeps the names under `.silent` waiting until they are released, and knows no `.unknown`."""

    def __init__(self, *addresses: str) -> None:
        self.asked: list[str] = []
        self.released = asyncio.Event()
        self._addresses = addresses or ("127.0.0.1",)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host.endswith(".silent"):
            await self.released.wait()
        if host.endswith(".unknown"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in self._addresses
        ]

    async def close(self) -> None:
        self.released.set()


def asking(lookups: Lookups, namespace: str, host: str) -> asyncio.Task[list[ResolveResult]]:
    """A look-up for a call of this namespace."""
    context = copy_context()
    context.run(progress.set, Progress(namespace=namespace))
    return asyncio.create_task(lookups.resolve(host, 80), context=context)


async def settled() -> None:
    """All that can happen now has happened."""
    for _ in range(10):
        await asyncio.sleep(0)


def hosts(found: list[ResolveResult]) -> list[str]:
    return [each["host"] for each in found]


async def test_a_namespace_never_has_all_threads() -> None:
    names = Names()
    lookups = Lookups(names, at_once=64)
    flood = [asking(lookups, "greedy", f"{number}.silent") for number in range(1000)]
    await settled()
    assert len(names.asked) == 51
    assert lookups.waiting == 949

    assert hosts(await asking(lookups, "modest", "orders.shop")) == ["127.0.0.1"]

    names.released.set()
    await asyncio.gather(*flood)
    assert len(names.asked) == 1001
    assert lookups.waiting == 0


async def test_the_namespace_that_holds_the_fewest_is_next() -> None:
    names = Names()
    lookups = Lookups(names, at_once=4)
    held = [asking(lookups, "greedy", f"{number}.silent") for number in range(8)]
    held += [asking(lookups, "modest", f"{number}.modest.silent") for number in range(2)]
    await settled()
    assert names.asked == ["0.silent", "1.silent", "2.silent", "0.modest.silent"]

    held.append(asking(lookups, "third", "third.silent"))
    await settled()
    assert "third.silent" not in names.asked
    names.released.set()
    await asyncio.gather(*held)
    assert names.asked[4] in ("third.silent", "1.modest.silent")


async def test_the_only_thread_there_is_can_be_used() -> None:
    names = Names()
    lookups = Lookups(names, at_once=1)
    await asyncio.gather(*(asking(lookups, "shop", f"{number}.shop") for number in range(3)))
    assert len(names.asked) == 3


async def test_a_name_is_looked_up_once_for_all_who_want_it() -> None:
    names = Names()
    lookups = Lookups(names, at_once=64)
    asked = [asking(lookups, namespace, "orders.silent") for namespace in ("shop", "billing", "shop")]
    await settled()
    names.released.set()
    assert [hosts(found) for found in await asyncio.gather(*asked)] == [["127.0.0.1"]] * 3
    assert names.asked == ["orders.silent"]


async def test_nobody_waits_in_the_line_of_another_namespace() -> None:
    names = Names()
    lookups = Lookups(names, at_once=4)
    flood = [asking(lookups, "greedy", f"{number}.silent") for number in range(100)]
    flood.append(asking(lookups, "greedy", "orders.shop"))
    await settled()
    assert "orders.shop" not in names.asked

    assert hosts(await asking(lookups, "modest", "orders.shop")) == ["127.0.0.1"]
    assert hosts(await flood.pop()) == ["127.0.0.1"], "the greedy one got it as well, out of turn"
    for each in flood:
        each.cancel()


async def test_who_gives_up_waits_no_more_and_is_not_looked_up() -> None:
    names = Names()
    lookups = Lookups(names, at_once=1)
    first = asking(lookups, "greedy", "first.silent")
    waiting = [asking(lookups, namespace, "second.shop") for namespace in ("greedy", "greedy", "modest")]
    await settled()
    for each in waiting:
        each.cancel()
    await settled()
    assert lookups.waiting == 0
    names.released.set()
    await first
    assert names.asked == ["first.silent"]


async def test_a_thread_counts_until_its_name_server_answers_although_the_caller_gave_up() -> None:
    names = Names()
    lookups = Lookups(names, at_once=1)
    gave_up = asking(lookups, "greedy", "first.silent")
    await settled()
    gave_up.cancel()
    after = asking(lookups, "modest", "second.shop")
    await settled()
    assert names.asked == ["first.silent"]
    names.released.set()
    assert hosts(await after) == ["127.0.0.1"]


async def test_a_name_that_is_not_known_is_asked_for_again() -> None:
    names = Names()
    lookups = Lookups(names)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await asking(lookups, "shop", "orders.unknown")
    assert names.asked == ["orders.unknown"] * 2


async def test_what_was_found_is_kept_and_its_addresses_take_turns() -> None:
    names = Names("192.0.2.1", "192.0.2.2")
    lookups = Lookups(names)
    found = [hosts(await asking(lookups, "shop", "orders")) for _ in range(3)]
    assert [each[0] for each in found] == ["192.0.2.1", "192.0.2.2", "192.0.2.1"]
    assert names.asked == ["orders"]


async def test_what_was_found_is_kept_for_a_while_and_for_so_many_names() -> None:
    names = Names()
    brief = Lookups(names, keep_seconds=0)
    for _ in range(2):
        await brief.resolve("orders")
    assert names.asked == ["orders"] * 2

    kept = Lookups(names)
    for number in range(KEPT_NAMES + 1):
        await kept.resolve(f"{number}.shop")
    before = len(names.asked)
    await kept.resolve(f"{KEPT_NAMES}.shop")
    assert len(names.asked) == before
    await kept.resolve("0.shop")
    assert len(names.asked) == before + 1


async def test_closing_ends_what_is_under_way() -> None:
    lookups = Lookups(Names(), at_once=1)
    under_way = asking(lookups, "shop", "first.silent")
    await settled()
    await lookups.close()
    with pytest.raises(asyncio.CancelledError):
        await under_way


@pytest.mark.fault(
    "a namespace calls many hosts whose name servers are silent",
    "Retry/None ConnectTimeout for these; the calls of other namespaces go on",
)
async def test_calls_of_others_go_on_while_a_namespace_waits_for_its_name_servers() -> None:
    names = Names()
    lookups = Lookups(names, at_once=8)
    async with raw_server(answer(ok())) as server, call_session(LOOPBACK, lookups=lookups) as session:
        caller = Caller(session)
        hopeless = replace(POST, connect_timeout=SHORT, request_timeout=GENEROUS)
        flood = [
            asyncio.create_task(caller.call(replace(hopeless, url=f"http://{number}.silent/"), namespace="greedy"))
            for number in range(20)
        ]
        await settled()
        request = replace(POST, url=f"http://orders.shop:{server.port}/", connect_timeout=GENEROUS)
        observation = await caller.call(replace(request, request_timeout=GENEROUS), namespace="modest")
        assert isinstance(observation, Answered)
        assert [seen(each) for each in await asyncio.gather(*flood)] == [NotSent("ConnectTimeout", "")] * 20
        assert lookups.waiting == 0
        await lookups.close()
