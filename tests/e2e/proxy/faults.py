"""What can become of a request."""

import asyncio
import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web
from tests.e2e.proxy.passing import Fault, Passing

LOOK_SECONDS = 0.02


def refuse(code: int, retry_after: int | None = None) -> Fault:
    """It is answered as the API server answers when it refuses, and goes no further."""
    header = {} if retry_after is None else {"Retry-After": str(retry_after)}

    async def fault(_: Passing) -> web.StreamResponse:
        return web.json_response(_status(code), status=code, headers=header)

    return fault


async def lose_answer(passing: Passing) -> web.StreamResponse:
    """It is passed on, and its answer is dropped together with the connection."""
    await passing.forward()
    return passing.hang_up()


async def hang(passing: Passing) -> web.StreamResponse:
    """Nothing comes of it, and no answer, until the other side gives up (which ends this)."""
    await asyncio.Event().wait()
    return passing.hang_up()


def slow(seconds: float) -> Fault:
    """The answer takes its time."""

    async def fault(passing: Passing) -> web.StreamResponse:
        answer = await passing.forward()
        await asyncio.sleep(seconds)
        return answer

    return fault


def wait_for(released: Callable[[], bool]) -> Fault:
    """The answer is there, and is passed back as soon as it may be."""

    async def fault(passing: Passing) -> web.StreamResponse:
        answer = await passing.forward()
        while not released():  # noqa: ASYNC110 (the condition is another thread's)
            await asyncio.sleep(LOOK_SECONDS)
        return answer

    return fault


async def cut(passing: Passing) -> web.StreamResponse:
    """A stream ends with its connection, instead of its first piece."""
    return await passing.stream(lambda _: False)


async def expire(_: Passing) -> web.StreamResponse:
    """A watch is told that its resourceVersion is too old, within the stream as the API server does."""
    event = {"type": "ERROR", "object": _status(HTTPStatus.GONE)}
    return web.Response(body=json.dumps(event).encode() + b"\n", content_type="application/json")


class Hold:
    """Keeps a request from being passed on, or its answer from being passed back, until the other side is gone."""

    def __init__(self, *, answer: bool) -> None:
        self._answer = answer
        self._holds = threading.Event()

    @property
    def holds(self) -> bool:
        """Whether it holds something now: a request that was not acted upon, or the answer of one that was."""
        return self._holds.is_set()

    async def __call__(self, passing: Passing) -> web.StreamResponse:
        if self._answer:
            await passing.forward()
        self._holds.set()
        try:
            return await hang(passing)
        finally:
            self._holds.clear()


def _status(code: int) -> dict[str, Any]:
    words = HTTPStatus(code)
    return {
        "apiVersion": "v1",
        "kind": "Status",
        "metadata": {},
        "status": "Failure",
        "reason": "Expired" if code == HTTPStatus.GONE else words.phrase.replace(" ", ""),
        "message": f"{words.phrase}: a test brings it about",
        "code": code,
    }
