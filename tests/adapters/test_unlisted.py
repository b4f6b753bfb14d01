"""What kopf asks for, and what the API server is asked for instead."""

from functools import partial

from tests.adapters.raw_server import raw_server
from tests.adapters.test_caller import answer, ok

from flow_operator.adapters.sessions import api_server_session
from flow_operator.adapters.unlisted import unlisted


async def asked(path: str, reply: bytes) -> tuple[str, int]:
    """The path that the server saw, and how often a list was told of."""
    told: list[None] = []
    async with (
        raw_server(answer(reply)) as server,
        api_server_session(middlewares=(partial(unlisted, lambda: told.append(None)),)) as session,
        session.get(f"{server.url}{path}") as response,
    ):
        await response.read()
    return server.requests[0].split()[1].decode(), len(told)


async def test_a_list_is_empty_and_is_told_of() -> None:
    path, told = await asked("runs?limit=500", ok())
    assert path.endswith("runs?limit=500&fieldSelector=metadata.name%3D-")
    assert told == 1


async def test_a_list_that_fails_is_not_told_of() -> None:
    _, told = await asked("runs?limit=500", b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n")
    assert told == 0


async def test_a_watch_is_as_it_was_asked_for() -> None:
    path, told = await asked("runs?watch=true&resourceVersion=7", ok())
    assert path.endswith("runs?watch=true&resourceVersion=7")
    assert told == 0
