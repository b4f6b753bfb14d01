"""The one factory of HTTP sessions: nothing else in the operator makes an `aiohttp.ClientSession`.

aiohttp's defaults are those of a browser. What they would do to an operator, and what is done about it here:

| default of aiohttp                                                   | here                                        |
|---|---|
| one cookie jar for all: one tenant's cookie is sent for another      | a jar that keeps nothing                    |
| GET, PUT, DELETE… are sent again, silently, when a kept connection   | the error that triggers it is renamed, so   |
| was dropped: the service gets two requests for one attempt           | one `request()` is at most one request      |
| what a server says unasked on an idle connection is taken for the    | such a connection is discarded unused       |
| answer to the next request on it                                     |                                             |
| 2 MB of gzip become 2 GiB in `read()`                                | no decompression, and `identity` is asked   |
| idle connections are kept 15 s, many servers close theirs after 2 s  | 1.5 s for calls: a request is rarely sent   |
| or 5 s: a request sent just then is lost, with effect Unknown        | into a connection that is being closed      |
| `.netrc` and proxy variables                                         | not read                                    |
| a name is looked up for all who want it, in the line of who asked    | namespaces take turns (`lookups`)           |
| first                                                                |                                             |
| an answer is buffered up to 128 KiB before anybody reads it          | up to 32 KiB (`READ_BYTES`)                 |
| Accept and Content-Type are invented                                 | only what the caller gives is sent          |

Redirects are a matter of each request: callers pass `allow_redirects=False`.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import partial
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_parser import RawResponseMessage

from flow_operator import __version__
from flow_operator.adapters.bearer import TokenSource, bearer
from flow_operator.adapters.egress import Rules
from flow_operator.adapters.guard import Guard
from flow_operator.adapters.lookups import Lookups
from flow_operator.adapters.progress import progress

USER_AGENT = f"flow-operator/{__version__}"

_IDLE_SECONDS = 1.5
"""How long an unused connection to a service is kept: below the 2 s of gunicorn and the 5 s of Node.js and uvicorn."""
_HEADER_BYTES = 16 * 1024
"""How long one line of an answer's header may be (and there are at most 128 of them)."""


READ_BYTES = 16 * 1024
"""aiohttp takes twice as much of an answer from the socket before it is read, and what one `recv` brings on top."""


class ConnectionLost(aiohttp.ClientConnectionError):
    """The connection went away after the request was (perhaps) sent: aiohttp knows no such name and sends no second.

    `code` is that of the status line, if one had come whole before the header broke off.
    """

    def __init__(self, cause: Exception) -> None:
        begun = cause.message if isinstance(cause, aiohttp.ServerDisconnectedError) else None
        self.code: int | None = None
        if isinstance(begun, RawResponseMessage):
            super().__init__("the header was not complete")
            self.code = begun.code if begun.reason is not None else None
        else:
            super().__init__(str(cause))


class NoLongerWanted(Exception):
    """Who sends it may not any more, as it turned out when the connection was there. Nothing was sent."""


class _SpokeUnaskedError(Exception):
    """A kept connection is unusable: bytes came on it while nothing had been asked. Nothing was sent."""


_written_to: WeakSet[ResponseHandler] = WeakSet()
"""The connections that carried a request already; on a new one a server may speak first (then it is no HTTP)."""


class _Request(aiohttp.ClientRequest):
    """A request that asks and reports when it is about to be written, and refuses a connection that was spoiled."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        journey = progress.get(None)
        if journey is not None and not journey.may_send():
            raise NoLongerWanted
        protocol = conn.protocol
        if protocol is not None:
            if protocol in _written_to and protocol.should_close:
                raise _SpokeUnaskedError
            _written_to.add(protocol)
        if journey is not None:
            journey.sent = True
        return await super().send(conn)


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request again, which it does upon ClientOSError and ServerDisconnectedError.

    The only thing that is tried again is what was surely not sent: a kept connection that was spoiled while idle.
    """
    while True:
        try:
            return await handler(request)
        except _SpokeUnaskedError:
            continue
        except aiohttp.ClientConnectorError:
            raise  # no connection: aiohttp does not try that again
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise ConnectionLost(error) from error


def call_session(
    rules: Rules, *, tls: ssl.SSLContext | None = None, lookups: Lookups | None = None
) -> aiohttp.ClientSession:
    """The session for calls to services: guarded, and without a limit of connections (the caller limits per host)."""
    guard = Guard(rules)
    connector = aiohttp.TCPConnector(
        socket_factory=guard.open_socket,
        ssl=tls or True,
        limit=0,
        keepalive_timeout=_IDLE_SECONDS,
        resolver=lookups or Lookups(),
        use_dns_cache=False,  # they have one that is fair
    )
    timeout = aiohttp.ClientTimeout(total=None)
    return _session(connector, timeout, middlewares=(_send_once, guard.watch), read_bytes=READ_BYTES)


def api_server_session(
    *,
    base_url: str | None = None,
    tls: ssl.SSLContext | None = None,
    token: TokenSource | None = None,
    limit: int = 0,
    middlewares: Sequence[aiohttp.ClientMiddlewareType] = (),
) -> aiohttp.ClientSession:
    """A session for the API server: no guard, the given TLS context (with a client certificate, if there is one).

    `base_url`, if given, ends with a slash. `token` is asked before every request, so that a rotated token file is
    followed. `limit` is the number of connections, 0 for no limit. `middlewares` see a request before the others do.
    There is no total timeout (a watch is one endless answer): requests bring their own.
    """
    connector = aiohttp.TCPConnector(ssl=tls or True, limit=limit)
    last = (_send_once,) if token is None else (partial(bearer, token), _send_once)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    return _session(connector, timeout, base_url=base_url, middlewares=(*middlewares, *last))


def _session(
    connector: aiohttp.TCPConnector,
    timeout: aiohttp.ClientTimeout,
    *,
    middlewares: Sequence[aiohttp.ClientMiddlewareType],
    base_url: str | None = None,
    read_bytes: int = 64 * 1024,
) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        base_url,
        connector=connector,
        timeout=timeout,
        middlewares=middlewares,
        request_class=_Request,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity", "User-Agent": USER_AGENT},
        skip_auto_headers=("Accept", "Content-Type"),
        auto_decompress=False,
        trust_env=False,
        max_line_size=_HEADER_BYTES,
        max_field_size=_HEADER_BYTES,
        read_bufsize=read_bytes,
    )
