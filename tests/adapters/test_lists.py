"""Lists of an API server whose objects are huge, or that is slow, or that forgets where it was."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from flow_operator.adapters.cluster import ApiServer
from flow_operator.adapters.lists import Lists
from flow_operator.adapters.sessions import api_server_session
from flow_operator.engine.errors import Gone, Unavailable

PATIENCE = 0.3
HUGE = 768 * 1024


@dataclass
class Shelf:
    """An API server with numbered objects of these sizes in bytes; a `continue` token is the number of the next one."""

    sizes: list[int]
    limits: list[int] = field(default_factory=list)
    """What was asked for."""
    slow_above: int = 500
    """A page of more objects is begun, and never ended."""
    broken_above: int = 500
    """A page of more objects breaks off."""
    busy_above: int = 500
    """A page of more objects is a 504."""
    part_seconds: float = 0.0
    """How long it takes for each object of a page."""
    expired: dict[int, str | None] = field(default_factory=dict)
    """Tokens that are refused, each once, with the token that is offered instead."""
    most_sent: int = 0
    """The most bytes of one page."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        limit, first = int(request.query["limit"]), int(request.query.get("continue", 0))
        self.limits.append(limit)
        if first in self.expired:
            return web.json_response({"message": "expired", "metadata": _token(self.expired.pop(first))}, status=410)
        if limit > self.busy_above:
            return web.json_response({"message": "timeout"}, status=504)
        response = web.StreamResponse()
        await response.prepare(request)
        last = min(first + limit, len(self.sizes))
        metadata = _token(str(last)) | {"remainingItemCount": len(self.sizes) - last} if last < len(self.sizes) else {}
        await response.write(f'{{"metadata": {json.dumps(metadata)}, "items": ['.encode())
        if limit > self.slow_above:
            await asyncio.Event().wait()
        sent = 0
        for number in range(first, last):
            await asyncio.sleep(self.part_seconds)
            sent += await _write(response, number, self.sizes[number], comma=number > first)
            self.most_sent = max(self.most_sent, sent)
            if limit > self.broken_above:
                assert request.transport is not None
                request.transport.abort()
        await response.write(b"]}")
        return response


async def _write(response: web.StreamResponse, number: int, size: int, *, comma: bool) -> int:
    text = json.dumps({"metadata": {"name": str(number)}, "spec": "x" * size})
    await response.write(f"{',' * comma}{text}".encode())
    return len(text)


def _token(token: str | None) -> dict[str, object]:
    return {} if token is None else {"continue": token}


def untold(_kind: str, _number: int) -> None:
    """Nobody wants to know."""


@asynccontextmanager
async def listing(
    shelf: Shelf, patience: float = 30.0, listed: Callable[[str, int], None] = untold
) -> AsyncIterator[ApiServer]:
    """An adapter in front of it."""
    app = web.Application()
    app.router.add_get("/{path:.*}", shelf.handle)
    async with TestServer(app) as server, api_server_session(base_url=str(server.make_url("/"))) as session:
        yield ApiServer(session, timeout=patience, listed=listed)


async def names(cluster: ApiServer, *, metadata_only: bool = False) -> list[int]:
    """The numbers of all objects, as listed."""
    pages = cluster.pages("workflows", metadata_only=metadata_only)
    return [int(item["metadata"]["name"]) async for page in pages for item in page]


@pytest.mark.fault(
    "500 objects of 768 KiB are to be listed",
    "Pages are halved until they fit, and grow back; no more of one is read than 4 MiB",
)
async def test_500_objects_of_768_kib_arrive_and_no_page_is_read_that_would_not_fit() -> None:
    shelf = Shelf([HUGE] * 500)
    async with listing(shelf) as cluster:
        assert await names(cluster) == list(range(500))
    assert shelf.limits[:8] == [500, 250, 125, 62, 31, 15, 7, 3]
    assert set(shelf.limits[8:]) == {3}
    assert shelf.most_sent < 40 * 1024 * 1024, "the API server stops when nobody reads any more"


async def test_pages_are_large_again_after_the_huge_objects() -> None:
    shelf = Shelf([HUGE] * 20 + [100] * 3000)
    async with listing(shelf) as cluster:
        assert await names(cluster) == list(range(3020))
    assert shelf.limits[-1] == 500


async def test_the_next_list_begins_as_the_last_one_ended() -> None:
    shelf = Shelf([HUGE] * 20)
    async with listing(shelf) as cluster:
        await names(cluster)
        shelf.limits.clear()
        assert await names(cluster) == list(range(20))
        assert set(shelf.limits) == {3}
        shelf.limits.clear()
        await names(cluster, metadata_only=True)
        assert shelf.limits[0] == 500, "metadata is another matter"


async def test_an_object_that_is_larger_than_a_page_may_be_arrives_alone() -> None:
    shelf = Shelf([100, 5 * 1024 * 1024, 100])
    async with listing(shelf) as cluster:
        assert await names(cluster) == [0, 1, 2]


@pytest.mark.fault(
    "pages of a list stall, break off or are answered 504",
    "They are asked for again with half as many objects, and larger ones tried ever more rarely",
)
@pytest.mark.parametrize("flaw", ["slow_above", "broken_above", "busy_above"])
async def test_a_page_that_does_not_come_to_its_end_is_asked_for_again_with_fewer_objects(flaw: str) -> None:
    shelf = Shelf([100] * 200, **{flaw: 100})  # type: ignore[arg-type]
    async with listing(shelf, PATIENCE) as cluster:
        assert await names(cluster) == list(range(200))
    assert shelf.limits[:4] == [500, 250, 125, 62]


@pytest.mark.parametrize("flaw", ["slow_above", "broken_above", "busy_above"])
async def test_when_not_even_one_object_arrives_the_list_fails(flaw: str) -> None:
    shelf = Shelf([100], **{flaw: 0})  # type: ignore[arg-type]
    async with listing(shelf, PATIENCE) as cluster:
        cluster._lists._sizes["Workflow", False].objects = 2
        with pytest.raises(Unavailable):
            await names(cluster)
    assert shelf.limits == [2, 1]


async def test_a_page_that_takes_longer_than_the_timeout_arrives_as_long_as_it_makes_progress() -> None:
    shelf = Shelf([100] * 8, part_seconds=0.1)
    async with listing(shelf, 0.5) as cluster:
        assert await names(cluster) == list(range(8))


@pytest.mark.fault(
    "a list takes so long that its snapshot is compacted away", "It goes on with the rest as it is by then"
)
async def test_a_list_whose_snapshot_expires_goes_on_with_the_rest() -> None:
    shelf = Shelf([100] * 1500, expired={500: "500", 1000: "1000"})
    async with listing(shelf) as cluster:
        assert await names(cluster) == list(range(1500))
    assert len(shelf.limits) == 5


async def test_a_list_that_expires_again_at_once_fails() -> None:
    shelf = Shelf([100] * 1000, expired={500: "501", 501: "502"})
    async with listing(shelf) as cluster:
        with pytest.raises(Unavailable, match="expires"):
            await names(cluster)


async def test_a_list_that_expires_without_saying_how_to_go_on_fails() -> None:
    shelf = Shelf([100] * 1000, expired={500: None})
    async with listing(shelf) as cluster:
        with pytest.raises(Gone):
            await names(cluster)


async def test_how_far_a_list_has_come_is_told_by_kind() -> None:
    told: list[tuple[str, int]] = []
    async with listing(Shelf([100] * 1200), listed=lambda *how_far: told.append(how_far)) as cluster:
        await names(cluster)
    assert told == [("Workflow", 0), ("Workflow", 500), ("Workflow", 1000), ("Workflow", 1200)]


async def test_a_list_that_takes_long_is_logged_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    shelf, seconds = Shelf([100] * 10_000), count()
    app = web.Application()
    app.router.add_get("/{path:.*}", shelf.handle)
    async with TestServer(app) as server, api_server_session(base_url=str(server.make_url("/"))) as session:
        lists = Lists(session, patience=30, listed=untold, monotonic=lambda: next(seconds) / 10)
        with caplog.at_level(logging.INFO, "flow_operator"):
            async for _ in lists.pages("Step", "/steps", metadata_only=False):
                pass
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("flow_operator")]
    assert 1 <= len(lines) <= next(seconds) / 50
    assert lines[0].startswith("Step: ")
    assert "to come" in lines[0]
