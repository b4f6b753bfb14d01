"""Binds the egress rules to a session, so that every connection is judged by the address it is really made to."""

from __future__ import annotations

import socket
from contextvars import ContextVar
from errno import EACCES

import aiohttp

from flow_operator.adapters import addresses
from flow_operator.adapters.egress import Denial, Rules, denial
from flow_operator.adapters.progress import Progress, progress

_host: ContextVar[str] = ContextVar("host")
"""The host of the URL that is being connected to: a socket factory is told the address only."""


RECEIVE_BYTES = 64 * 1024
"""What the kernel buffers of an answer that is not read yet; by itself it would be megabytes, of the pod's memory."""


class EgressDenied(aiohttp.ClientError):
    """The guard refused every address of the host, or the host itself; nothing was sent."""

    def __init__(self, reason: Denial) -> None:
        super().__init__(reason.message)
        self.denial = reason


class Guard:
    """Binds the egress rules to a session: every dial passes `open_socket`, also one to an address in the URL.

    Each dial is judged by the rules as they are at that moment.

    The socket is made for the very address that is connected to next, so a name that changes its address between check
    and connection (DNS rebinding) gains nothing. A kept connection was checked when it was made, under the same host.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def open_socket(self, target: aiohttp.AddrInfoType) -> socket.socket:
        """Make the socket for one address, or refuse it."""
        family, kind, protocol, _, endpoint = target
        address = addresses.parse(str(endpoint[0]))
        journey = progress.get(None) or Progress()
        # Without the middleware the host is unknown; then no rule about names can open anything.
        refused = denial(_host.get(str(address)), address, self._rules)
        if refused is not None:
            journey.denied = refused
            raise PermissionError(EACCES, refused.message)
        journey.dialled = True
        made = socket.socket(family=family, type=kind, proto=protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        return made

    async def watch(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Middleware: judge the name before it is looked up, tell the socket factory the host, name the refusal."""
        host = request.url.raw_host or ""
        if (refused := denial(host, None, self._rules)) is not None:
            raise EgressDenied(refused)
        before = _host.set(host)
        try:
            return await handler(request)
        except aiohttp.ClientConnectorError as error:
            journey = progress.get(None)
            if journey is not None and journey.denied is not None and not journey.dialled:
                raise EgressDenied(journey.denied) from error
            raise
        finally:
            _host.reset(before)
