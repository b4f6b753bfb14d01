"""Calls a service once and says what was seen; the engine decides what that means.

The rules of this room:

1. One `call()` is at most one request on the wire: no redirects, no repetition (`sessions` sees to that of aiohttp).
2. It returns an observation for whatever happens, and raises nothing but CancelledError. A call that is cancelled may
   have been sent.
3. Whether it may be sent is asked again right before the first byte: names may take long to be looked up, connections
   to be made, and a process that was frozen meanwhile has lost its lease.
4. "Not sent" is claimed only if the request had not begun to be written. Everything later is "no answer".
5. An answer is read to the size limit and no further, and only for so long: the request timeout bounds the attempt as a
   whole, so that a drip of bytes ends as well.
6. What all answers take together is bounded (`answer_memory`): where there is no room, reading pauses.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from flow_operator.adapters.answer_memory import AnswerMemory, Room
from flow_operator.adapters.failures import after_sending, before_sending
from flow_operator.adapters.progress import Progress, progress
from flow_operator.adapters.sessions import READ_BYTES, NoLongerWanted
from flow_operator.adapters.text import stripped
from flow_operator.engine.messages.observation import Answered, Denied, NoAnswer, Observation, Request

ANSWER_LIMIT = 128 * 1024
"""Bytes of an answer that are read (semantics: Size); more is PayloadTooLarge."""

_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
"""What frames the message is not the user's to set (semantics: Headers on every call): it would smuggle requests."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HOST = re.compile(r"[0-9a-z_.-]+|[0-9a-f:.]+(%[0-9a-z_.-]+)?")


class Caller:
    """Makes calls over one session."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        answer_limit: int = ANSWER_LIMIT,
        memory: AnswerMemory | None = None,
    ) -> None:
        self._session = session
        self._memory = memory or AnswerMemory()
        self._answer_limit = answer_limit

    async def call(
        self,
        request: Request,
        may_send: Callable[[], bool] = lambda: True,
        *,
        namespace: str = "",
        reserved: bool = False,
    ) -> Observation | None:
        """Send the request, once, and say what was seen; None if it was not sent since it may not be any more.

        `namespace` is that of the run: what calls share is shared fairly between these.
        `reserved`: the first piece of memory for the answer is held by whoever calls, with its slot.
        """
        target = _target(request)
        if isinstance(target, Denied):
            return target
        journey = Progress(may_send, namespace)
        before = progress.set(journey)
        code: int | None = None
        try:
            async with (
                asyncio.timeout(request.request_timeout),
                self._memory.room(namespace, reserved=reserved) as room,
            ):
                response = await self._send(request, target)
                code = response.status
                try:
                    return await self._read(response, room)
                finally:
                    response.release()  # keeps the connection only if the answer was read to its end
        except NoLongerWanted:
            return None
        except Exception as error:  # noqa: BLE001 a call is an observation, whatever happens in the library
            return after_sending(error, code) if journey.sent else before_sending(error, tls=target.scheme == "https")
        finally:
            progress.reset(before)

    async def _send(self, request: Request, target: URL) -> aiohttp.ClientResponse:
        header = {name: value for name, value in request.header.items() if name.lower() != "accept-encoding"}
        return await self._session.request(
            request.method,
            target,
            headers=header,
            data=request.body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=request.connect_timeout, ceil_threshold=float("inf")),
        )

    async def _read(self, response: aiohttp.ClientResponse, room: Room) -> Answered | NoAnswer:
        code = response.status
        if not 200 <= code <= 599:  # 101, or none of HTTP's (RFC 9110 section 15: treat it as a 5xx)
            return NoAnswer("NotHTTP", f"the answer has the status code {code}, which answers nothing", code)
        header = _header(response.headers)
        body = bytearray()
        content = response.content
        while not content.at_eof():
            if len(body) == self._answer_limit:
                if await content.read(1):
                    return Answered(code, header, b"", too_large=True)
                break
            if len(body) == room.size:
                await room.grow()
            body += await content.read(min(READ_BYTES, room.size - len(body), self._answer_limit - len(body)))
        return Answered(code, header, bytes(body))


def _header(header: CIMultiDictProxy[str]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in header.items():
        key, text = stripped(name).lower(), stripped(value).strip()
        joined[key] = f"{joined[key]}, {text}" if key in joined else text
    return joined


def _target(request: Request) -> URL | Denied:
    """The URL to call, or why this request is not one that may be sent: the engine builds no such, a bug might."""
    try:
        url = URL(request.url)
    except ValueError:  # its text may repeat the URL, credentials included
        return Denied("the URL cannot be called: it is malformed")
    sound = _encodable(request.url) and not _CONTROL.search(request.url)  # yarl would drop such characters silently
    if not sound or url.scheme not in ("http", "https") or not _HOST.fullmatch(url.raw_host or ""):
        return Denied("the URL cannot be called: it is not an absolute http or https URL with a host")
    if url.raw_user or url.raw_password:
        return Denied("the URL cannot be called: it carries credentials")
    for name, value in request.header.items():
        if name.lower() in _OURS or not _TOKEN.fullmatch(name):
            return Denied(f"the header {stripped(name)} cannot be sent: it is not a name that may be set")
        if _CONTROL.search(value) or not _encodable(value):
            return Denied(f"the header {name} cannot be sent: its value has control characters")
    return url


def _encodable(text: str) -> bool:
    """Whether the text has no half characters (lone surrogates), which no encoding can send."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
