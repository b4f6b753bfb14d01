"""The bearer token of requests to the API server: from a file that kubelet rotates, or a fixed one.

A projected ServiceAccount token lives for an hour and is renewed at 80 % of that. Its file is read again once a minute
(as client-go does), and at once when the API server answers 401, in case it was rotated early.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

from flow_operator.adapters import clock

_REREAD_SECONDS = 60.0


class TokenSource(Protocol):
    """Where the token comes from."""

    async def token(self, *, refused: str | None = None) -> str | None:
        """The token to send, None for none; `refused` is one that the API server did not take."""
        ...


class FixedToken:
    """A token that never changes, as in a kubeconfig."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, *, refused: str | None = None) -> str | None:  # noqa: ARG002
        """The token."""
        return self._token


class TokenFile:
    """The token in a file. If the file cannot be read, the last token read is used on: kubelet may be replacing it."""

    def __init__(self, path: Path, monotonic: Callable[[], float] = clock.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._token: str | None = None
        self._read_at = float("-inf")

    async def token(self, *, refused: str | None = None) -> str | None:
        """The token, at most a minute old; read anew if `refused` is the one that is remembered."""
        if refused == self._token or self._monotonic() - self._read_at >= _REREAD_SECONDS:
            self.read()
        return self._token

    def read(self) -> None:
        """Read the file. Raises OSError if it never could be read."""
        self._read_at = self._monotonic()
        try:
            self._token = self._path.read_text(encoding="utf-8").strip() or self._token
        except OSError:
            if self._token is None:
                raise


async def bearer(source: TokenSource, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Middleware: send the token; after a 401 send the request once more if there is another token by now.

    That is no repetition in the sense of the contract: a request that was not authenticated was not acted upon.
    """
    token = await source.token()
    response = await handler(_with(request, token))
    if response.status != 401:
        return response
    newer = await source.token(refused=token)
    if newer == token:
        return response
    response.release()
    return await handler(_with(request, newer))


def _with(request: ClientRequest, token: str | None) -> ClientRequest:
    if token is not None:
        request.headers["Authorization"] = f"Bearer {token}"
    return request
