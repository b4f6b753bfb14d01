"""The token of requests to the API server follows its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.adapters.raw_server import Behaviour, RawServer, Reader, Writer, raw_server, read_request

from flow_operator.adapters.bearer import FixedToken, TokenFile
from flow_operator.adapters.sessions import api_server_session


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def accepting(token: str) -> Callable[[RawServer], Behaviour]:
    """An API server that takes this token only."""

    def make(state: RawServer) -> Behaviour:
        async def act(reader: Reader, writer: Writer) -> None:
            while True:
                request = await read_request(reader)
                state.record(request)
                fine = f"\r\nAuthorization: Bearer {token}\r\n".encode() in request
                status = b"200 OK" if fine else b"401 Unauthorized"
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\n{}" % status)
                await writer.drain()

        return act

    return make


def put(file: Path, text: str | None) -> None:
    """Write the file, or with None delete it."""
    if text is None:
        file.unlink()
    else:
        file.write_text(text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("first\n")
    return path


async def test_a_token_file_is_read_again_once_a_minute(file: Path) -> None:
    time = Time()
    source = TokenFile(file, time)
    assert await source.token() == "first"
    put(file, "second\n")
    time.seconds = 59
    assert await source.token() == "first"
    time.seconds = 60
    assert await source.token() == "second"


async def test_a_file_that_is_away_or_empty_for_a_while_does_no_harm(file: Path) -> None:
    time = Time()
    source = TokenFile(file, time)
    assert await source.token() == "first"
    put(file, "")
    time.seconds = 60
    assert await source.token() == "first"
    put(file, None)
    time.seconds = 120
    assert await source.token() == "first"


async def test_a_file_that_was_never_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await TokenFile(tmp_path / "token").token()


@pytest.mark.parametrize("body", [None, b'{"status": {}}'])
async def test_a_token_that_was_rotated_early_is_read_at_once(file: Path, body: bytes | None) -> None:
    source = TokenFile(file, Time())
    assert await source.token() == "first"
    put(file, "second")
    async with (
        raw_server(accepting("second")) as server,
        api_server_session(base_url=server.url, token=source) as session,
    ):
        async with session.put("apis", data=body) as response:
            assert response.status == 200
        assert len(server.requests) == 2
        assert all(request.endswith(body or b"\r\n\r\n") for request in server.requests)


async def test_a_refused_token_is_sent_once_if_there_is_no_other(file: Path) -> None:
    source = TokenFile(file, Time())
    async with (
        raw_server(accepting("second")) as server,
        api_server_session(base_url=server.url, token=source) as session,
    ):
        async with session.put("apis", data=b"{}") as response:
            assert response.status == 401
        assert len(server.requests) == 1


async def test_a_fixed_token_is_sent_and_a_401_is_an_answer() -> None:
    async with raw_server(accepting("x")) as server:
        for token, status in (("x", 200), ("y", 401)):
            async with api_server_session(token=FixedToken(token)) as session, session.get(server.url) as response:
                assert response.status == status
        assert len(server.requests) == 2


async def test_without_a_token_nothing_is_sent() -> None:
    async with raw_server(accepting("x")) as server, api_server_session() as session:
        async with session.get(server.url) as response:
            assert response.status == 401
        assert b"authorization" not in server.requests[0].lower()
