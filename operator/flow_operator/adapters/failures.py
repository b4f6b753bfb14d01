"""What a failed request means: from what aiohttp raised to what the engine is told. Pure.

One question decides everything: had the request begun to be written? If not, nothing reached the service. If so, nobody
knows, whatever the error says.
"""

from __future__ import annotations

import asyncio
import ssl

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from flow_operator.adapters.guard import EgressDenied
from flow_operator.adapters.sessions import ConnectionLost
from flow_operator.adapters.text import printable
from flow_operator.engine.messages.observation import Denied, NoAnswer, NotSent

_DURING_HANDSHAKE = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


def before_sending(error: Exception, *, tls: bool) -> NotSent | Denied:
    """What an error means that came before the first byte of the request; `tls`: the URL is https."""
    if isinstance(error, EgressDenied):
        return Denied(printable(error.denial.message))
    if isinstance(error, aiohttp.InvalidURL):
        return Denied(printable(f"the URL cannot be called: {error.url} {error.description or 'is no URL'}"))
    if isinstance(error, asyncio.TimeoutError):
        return NotSent("ConnectTimeout", "no connection within the connect timeout")
    if isinstance(error, aiohttp.ClientConnectorDNSError | UnicodeError):
        return NotSent("NoAddress", f"the host has no address: {_cause(error)}")
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError | ssl.CertificateError):
        return NotSent("TLSFailure", f"no TLS connection: {_cause(error)}")
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, TimeoutError):
            return NotSent("ConnectTimeout", f"no connection: {_cause(error)}")
        if tls and isinstance(error.os_error, _DURING_HANDSHAKE):
            return NotSent("TLSFailure", "the connection was closed during the TLS handshake")
    return NotSent("ConnectionRefused", f"no connection: {_cause(error)}")


def after_sending(error: Exception, code: int | None) -> NoAnswer:
    """What an error means that came once the request was being written; `code`: that of the answer's status line."""
    if isinstance(error, asyncio.TimeoutError):
        rest = "no answer" if code is None else f"an answer ({code}) that was not complete"
        return NoAnswer("RequestTimeout", f"{rest} within the request timeout", code)
    if isinstance(error, aiohttp.ClientResponseError):
        return NoAnswer("NotHTTP", f"the answer is no HTTP: {printable(error.message)}", code)
    if isinstance(error, ConnectionLost):
        code = error.code
    if code is not None:
        return NoAnswer("IncompleteAnswer", f"an answer ({code}) broke off: {_cause(error)}", code)
    return NoAnswer("ConnectionLost", f"the connection was lost before an answer came: {_cause(error)}")


def _cause(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    if isinstance(error, aiohttp.ClientPayloadError) and isinstance(error.__cause__, HttpProcessingError):
        return printable(error.__cause__.message)
    if isinstance(error, OSError) and error.strerror:
        return printable(error.strerror)
    return printable(str(error) or type(error).__name__)
