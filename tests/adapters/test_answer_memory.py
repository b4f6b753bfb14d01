"""What answers may take together: its bound, its sharing between namespaces, and that no reader waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from tests.adapters.raw_server import Behaviour, RawServer, Reader, Writer, raw_server, read_request
from tests.adapters.test_caller import GENEROUS, LOOPBACK, POST, SHORT, answer, hang, ok, seen

from flow_operator.adapters.answer_memory import PIECE, AnswerMemory
from flow_operator.adapters.caller import ANSWER_LIMIT, Caller
from flow_operator.adapters.sessions import call_session
from flow_operator.engine.messages.observation import Answered, NoAnswer, NotSent, Observation, Request

MIB = 1024 * 1024


async def settled() -> None:
    """All that can happen now has happened."""
    for _ in range(10):
        await asyncio.sleep(0)


class Watched(AnswerMemory):
    """Remembers the most that was ever taken."""

    most = 0

    def _take(self, namespace: str) -> None:
        super()._take(namespace)
        self.most = max(self.most, self.taken)


def reserved(memory: AnswerMemory, namespace: str) -> int:
    """Reserve as often as this namespace may."""
    number = 0
    while memory.try_reserve(namespace):
        number += 1
    return number


async def test_a_namespace_never_has_all() -> None:
    memory = AnswerMemory(10 * PIECE)
    assert reserved(memory, "greedy") == 8
    assert reserved(memory, "modest") == 1
    memory.release("greedy")
    assert reserved(memory, "modest") == 1
    assert memory.taken == 9 * PIECE


async def test_the_only_piece_there_is_can_be_taken() -> None:
    memory = AnswerMemory(1)
    assert reserved(memory, "shop") == 1
    memory.release("shop")
    assert reserved(memory, "billing") == 1


async def test_a_room_grows_piece_by_piece_and_is_given_back() -> None:
    memory = AnswerMemory(10 * PIECE)
    async with memory.room("shop", reserved=False) as room:
        assert (room.size, memory.taken) == (PIECE, PIECE)
        await room.grow()
        await room.grow()
        assert (room.size, memory.taken) == (3 * PIECE, 3 * PIECE)
    assert memory.taken == 0


async def test_whoever_reserved_the_first_piece_releases_it() -> None:
    memory = AnswerMemory(10 * PIECE)
    assert memory.try_reserve("shop")
    async with memory.room("shop", reserved=True) as room:
        await room.grow()
        assert memory.taken == 2 * PIECE
    assert memory.taken == PIECE
    memory.release("shop")
    assert memory.taken == 0


async def test_a_call_without_a_reservation_waits_for_its_first_piece() -> None:
    memory = AnswerMemory(PIECE)
    entered = asyncio.Event()

    async def read() -> None:
        async with memory.room("modest", reserved=False):
            entered.set()

    assert memory.try_reserve("greedy")
    gives_up, reader = asyncio.create_task(read()), asyncio.create_task(read())
    await settled()
    assert not entered.is_set()
    gives_up.cancel()
    await settled()
    memory.release("greedy")
    await reader
    assert memory.taken == 0


async def test_one_reader_may_always_finish_and_then_the_next() -> None:
    memory = AnswerMemory(3 * PIECE)
    async with AsyncExitStack() as first, AsyncExitStack() as second, AsyncExitStack() as third:
        rooms = [
            await each.enter_async_context(memory.room(namespace, reserved=False))
            for namespace, each in (("a", first), ("b", second), ("c", third))
        ]
        growing = [asyncio.create_task(room.grow()) for room in rooms]
        await settled()
        assert [each.done() for each in growing] == [True, False, False]
        await rooms[0].grow()
        assert memory.taken == 5 * PIECE
        await first.aclose()
        await settled()
        assert [each.done() for each in growing] == [True, True, False]
        await second.aclose()
        await growing[2]
    assert memory.taken == 0


async def test_what_is_given_back_goes_to_the_namespace_that_holds_the_fewest() -> None:
    memory = AnswerMemory(10 * PIECE)
    async with AsyncExitStack() as stack:
        greedy = [await stack.enter_async_context(memory.room("greedy", reserved=False)) for _ in range(4)]
        assert [memory.try_reserve("greedy") for _ in range(2)] == [True, True]
        modest = await stack.enter_async_context(memory.room("modest", reserved=False))
        other = await stack.enter_async_context(memory.room("other", reserved=False))
        growing = [asyncio.create_task(room.grow()) for room in (greedy[0], greedy[1], modest, other)]
        await settled()
        assert [each.done() for each in growing] == [True, False, False, False], "one may exceed its share"

        memory.release("greedy")
        await settled()
        assert [each.done() for each in growing] == [True, False, True, False]
        memory.release("greedy")
        await settled()
        assert [each.done() for each in growing] == [True, False, True, True]

        growing[1].cancel()
    assert memory.taken == 0


async def test_who_gives_up_is_passed_over() -> None:
    memory = AnswerMemory(2 * PIECE)
    async with AsyncExitStack() as exempt, AsyncExitStack() as others:
        first = await exempt.enter_async_context(memory.room("a", reserved=False))
        second = await others.enter_async_context(memory.room("b", reserved=False))
        await first.grow()
        gives_up = asyncio.create_task(second.grow())
        await settled()
        gives_up.cancel()
        await exempt.aclose()
        await settled()
        assert memory.taken == PIECE
        await second.grow()
    assert memory.taken == 0


async def test_a_piece_that_comes_as_its_reader_gives_up_is_not_lost() -> None:
    memory = AnswerMemory(2 * PIECE)
    async with AsyncExitStack() as exempt:
        first = await exempt.enter_async_context(memory.room("a", reserved=False))

        async def read() -> None:
            async with memory.room("b", reserved=False) as room:
                await room.grow()

        reader = asyncio.create_task(read())
        await settled()
        await first.grow()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    assert memory.taken == 0


LARGE = answer(ok(body=bytes(ANSWER_LIMIT)))


def to(server: RawServer) -> Request:
    return replace(POST, url=server.url, connect_timeout=GENEROUS, request_timeout=GENEROUS)


def is_large(observation: Observation | None) -> bool:
    return isinstance(observation, Answered) and len(observation.body) == ANSWER_LIMIT


async def test_many_large_answers_stay_within_the_bound() -> None:
    memory = Watched(MIB)
    async with raw_server(LARGE) as server, call_session(LOOPBACK) as session:
        caller = Caller(session, memory=memory)
        calls = [caller.call(to(server), namespace=f"team-{number % 5}") for number in range(60)]
        assert all(map(is_large, await asyncio.gather(*calls)))
    assert MIB // 2 < memory.most <= MIB + ANSWER_LIMIT - PIECE
    assert memory.taken == 0


async def test_readers_that_hold_all_there_is_and_all_want_more_finish_one_after_the_other() -> None:
    number = MIB // PIECE
    memory = Watched(MIB)
    async with raw_server(LARGE) as server, call_session(LOOPBACK) as session:
        caller = Caller(session, memory=memory)
        assert all(memory.try_reserve(f"team-{each}") for each in range(number))
        calls = [caller.call(to(server), namespace=f"team-{each}", reserved=True) for each in range(number)]
        assert all(map(is_large, await asyncio.gather(*calls)))
    assert memory.most == MIB + ANSWER_LIMIT - PIECE
    assert memory.taken == MIB, "what was reserved for them is released by who reserved it"


@asynccontextmanager
async def without_room() -> AsyncIterator[AnswerMemory]:
    """A memory in which the namespace `shop` holds one piece, and `greedy` everything else and more."""
    memory = AnswerMemory(4 * PIECE)
    async with memory.room("greedy", reserved=False) as greedy:
        await greedy.grow()
        assert memory.try_reserve("shop")
        await greedy.grow()
        await greedy.grow()
        yield memory


@pytest.mark.fault("the answers of other calls take all memory for answers", "A small answer is read all the same")
async def test_a_small_answer_needs_no_more_room_than_was_reserved() -> None:
    small = answer(ok(body=bytes(PIECE)))
    async with without_room() as memory, raw_server(small) as server, call_session(LOOPBACK) as session:
        caller = Caller(session, memory=memory)
        observation = await caller.call(to(server), namespace="shop", reserved=True)
        assert isinstance(observation, Answered)
        assert len(observation.body) == PIECE


@pytest.mark.fault(
    "an answer is large, and there is no memory left to read it into",
    "Reading pauses until there is; the request timeout ends it: Retry/Unknown",
)
async def test_the_request_timeout_ends_a_reader_that_is_paused() -> None:
    written = 0

    def endless(state: RawServer) -> Behaviour:
        async def act(reader: Reader, writer: Writer) -> None:
            nonlocal written
            state.record(await read_request(reader))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(bytes(PIECE))
                await writer.drain()
                written += PIECE

        return act

    async with without_room() as memory, raw_server(endless) as server, call_session(LOOPBACK) as session:
        caller = Caller(session, memory=memory, answer_limit=1024 * MIB)
        request = replace(to(server), request_timeout=SHORT)
        observation = await caller.call(request, namespace="shop", reserved=True)
        assert observation is not None
        assert seen(observation) == NoAnswer("RequestTimeout", "", 200)
        taken = memory.taken
    assert taken == 5 * PIECE, "it has taken nothing that was not there"
    assert written < 16 * MIB, "nobody takes from the socket what there is no room for"


async def test_without_room_for_its_answer_nothing_is_sent() -> None:
    memory = AnswerMemory(PIECE)
    assert memory.try_reserve("greedy")
    async with raw_server(answer(b"", hang)) as server, call_session(LOOPBACK) as session:
        caller = Caller(session, memory=memory)
        observation = await caller.call(replace(to(server), request_timeout=SHORT), namespace="shop")
        assert observation is not None
        assert seen(observation) == NotSent("ConnectTimeout", "")
        assert server.connections == 0
    assert memory.taken == PIECE
