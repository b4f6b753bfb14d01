"""Lists of everything, a page at a time, whatever the size of the objects and the speed of the API server.

An object may have 1.5 MiB, and 500 of those never arrive. So a page that makes no progress for a while, breaks off, or
passes 4 MiB is given up and asked for again with fewer objects (page_size). What a page took is remembered for the next
list of the kind.

A long list may outlive the snapshot that it reads (etcd keeps five minutes). The API server then says how to go on with
the rest as it is by now. What that misses is what has changed meanwhile, of which the watches tell.
"""

import json
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp

from flow_operator.adapters import clock
from flow_operator.adapters.api_errors import error_of, no_answer
from flow_operator.adapters.page_size import PageSize
from flow_operator.engine.errors import ClusterError, Unavailable

log = logging.getLogger(__name__)

Object = dict[str, Any]

JSON = "application/json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

TELL_SECONDS = 5.0
"""How often a list that takes long is told of."""


class TooMuchAtOnce(Exception):
    """A page is larger than it may be, or (stalled) does not come to its end: fewer objects may do better."""

    def __init__(self, message: str, *, stalled: bool) -> None:
        super().__init__(message)
        self.stalled = stalled


class Expired(Exception):
    """The snapshot that the list reads is gone; `token` goes on with the rest."""

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token


class Lists:
    """Requests for lists over one session."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        patience: float,
        listed: Callable[[str, int], None],
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        """`patience`: seconds without a byte; `listed` is told a kind and how many objects its list has brought."""
        self._session = session
        self._patience = patience
        self._listed = listed
        self._monotonic = monotonic
        self._sizes: defaultdict[tuple[str, bool], PageSize] = defaultdict(PageSize)
        """By kind, and whether only metadata is listed."""

    async def pages(self, kind: str, *paths: str, metadata_only: bool) -> AsyncGenerator[list[Object]]:
        """Every object at these paths. Raises a ClusterError."""
        size = self._sizes[kind, metadata_only]
        progress = _Progress(kind, self._listed, self._monotonic)
        for path in paths:
            token: str | None = ""
            while token is not None:
                page = await self._next_page(size, progress, path, token, metadata_only=metadata_only)
                items = page.get("items") or []
                progress.add(len(items))
                progress.tell(f"{_to_come(page)}{size.objects} a page")
                yield items
                token = page["metadata"].get("continue") or None

    async def _next_page(
        self, size: PageSize, progress: "_Progress", path: str, token: str, *, metadata_only: bool
    ) -> Object:
        """The page at this token, of a size that can be had."""
        has_expired = False
        while True:
            began = self._monotonic()
            try:
                answer = await self._request(path, token, size, metadata_only=metadata_only)
                page: Object = json.loads(answer)
            except TooMuchAtOnce as error:
                if size.objects == 1:
                    raise no_answer(f"GET {path}", error) from error
                size.halve(stalled=error.stalled)
                progress.tell(f"{size.objects} a page from now on: {error}")
            except Expired as error:
                if has_expired:
                    raise Unavailable(f"GET {path}: it expires at once") from error
                has_expired, token = True, error.token
            except ValueError as error:
                raise no_answer(f"GET {path}", error) from error
            else:
                took = max(self._monotonic() - began, 0.001)
                size.came(len(page.get("items") or []), len(answer), self._patience / took)
                return page

    async def _request(self, path: str, token: str, size: PageSize, *, metadata_only: bool) -> bytes:
        """The answer to one request."""
        url = f"{path}?limit={size.objects}" + (f"&continue={quote(token, safe='')}" if token else "")
        header = {"Accept": METADATA_LIST if metadata_only else JSON}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._patience, sock_read=self._patience)
        try:
            async with self._session.get(url, headers=header, timeout=timeout, allow_redirects=False) as response:
                answer = await _read(response, size.bytes)
                if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                    raise _refusal(response, answer)
                return answer
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise no_answer(f"GET {path}", error) from error  # nobody is there
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TooMuchAtOnce(str(error) or type(error).__name__, stalled=True) from error


class _Progress:
    """Tells how far a list has come."""

    def __init__(self, kind: str, listed: Callable[[str, int], None], monotonic: Callable[[], float]) -> None:
        self._kind = kind
        self._listed = listed
        self._monotonic = monotonic
        self._number = 0
        self._told = monotonic()
        listed(kind, 0)

    def add(self, number: int) -> None:
        """So many more have come."""
        self._number += number
        self._listed(self._kind, self._number)

    def tell(self, remark: str) -> None:
        """Log it, unless that was done a moment ago: a list that does not take long is not told of at all."""
        if self._monotonic() - self._told >= TELL_SECONDS:
            self._told = self._monotonic()
            log.info("%s: %d listed so far, %s", self._kind, self._number, remark)


def _to_come(page: Object) -> str:
    remaining = page["metadata"].get("remainingItemCount")
    return f"about {remaining} to come, " if isinstance(remaining, int) else ""


async def _read(response: aiohttp.ClientResponse, most: int | None) -> bytes:
    answer = bytearray()
    async for chunk in response.content.iter_any():
        answer += chunk
        if most is not None and len(answer) > most:
            response.close()
            raise TooMuchAtOnce(f"more than {most} bytes in a page", stalled=False)
    return bytes(answer)


def _refusal(response: aiohttp.ClientResponse, answer: bytes) -> ClusterError | TooMuchAtOnce | Expired:
    if response.status == HTTPStatus.GATEWAY_TIMEOUT:
        return TooMuchAtOnce("504: the API server takes too long for a page", stalled=True)
    if response.status == HTTPStatus.GONE and (token := _token(answer)):
        return Expired(token)
    return error_of(response.status, response.headers, answer)


def _token(answer: bytes) -> str | None:
    try:
        token = json.loads(answer)["metadata"]["continue"]
    except (ValueError, KeyError, TypeError):
        return None
    return token if isinstance(token, str) else None
