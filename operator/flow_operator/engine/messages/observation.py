"""What the caller saw of one attempt: the input of the verdict, and nothing of the verdict itself.

An observation says what happened on the wire. What it means (verdict and effect, the two facts of an attempt) is
decided by the engine from the code, the body and the policies of the step. Each row of the contract's table "Two facts
per attempt" that is about a call arrives here as one of four values:

| row of the table                                                   | observation                              |
|---|---|
| 2xx, 202, 409, 429, 408, 425, 5xx, other 4xx, 3xx                  | `Answered` with that code                |
| 2xx, but the answer is over the size limit                         | `Answered` with `too_large`, no body     |
| no address                                                         | `NotSent` NoAddress                      |
| connection refused (or the network or host is unreachable)         | `NotSent` ConnectionRefused              |
| TLS failure                                                        | `NotSent` TLSFailure                     |
| connect timeout (name, connection and TLS handshake together)      | `NotSent` ConnectTimeout                 |
| read timeout (the whole attempt, so a drip of bytes is one, too)   | `NoAnswer` RequestTimeout                |
| connection lost after sending                                      | `NoAnswer` ConnectionLost                |
| a 2xx (or any other code) that breaks off                          | `NoAnswer` IncompleteAnswer, with code   |
| no HTTP                                                            | `NoAnswer` NotHTTP                       |
| destination not allowed                                            | `Denied`                                 |

The other rows never reach the wire (a request that cannot be built, a missing secret) or are about a process that died
(the operator between "about to call" and "result stored"), so no observation exists for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, complete: the caller adds only Host, Content-Length, Accept-Encoding and User-Agent."""

    method: str
    url: str
    header: Mapping[str, str]
    body: bytes | None
    """None sends no body at all; `b""` sends an empty one (Content-Length: 0)."""
    connect_timeout: float
    """Seconds for name, connection and TLS handshake together."""
    request_timeout: float
    """Seconds for the whole attempt, the connection included."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A complete HTTP answer, or one whose body was cut at the size limit."""

    code: int
    header: Mapping[str, str]
    """Lower-cased names; control characters stripped; values of repeated headers joined by ", "."""
    body: bytes
    too_large: bool = False
    """The body went over the size limit and was not kept: `body` is empty and says nothing about the answer."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing reached the service: effect None is certain."""

    reason: str
    """NoAddress, ConnectionRefused, TLSFailure or ConnectTimeout."""
    message: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Something may have been sent, and no complete answer came: nobody knows what the service did."""

    reason: str
    """RequestTimeout, ConnectionLost, IncompleteAnswer or NotHTTP."""
    message: str
    code: int | None = None
    """Known when the status line had come before the rest was lost."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The destination is not allowed by the egress guard: nothing was sent."""

    message: str


Observation = Answered | NotSent | NoAnswer | Denied
