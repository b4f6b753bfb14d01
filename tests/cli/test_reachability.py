"""Whatever keeps the API server from being reached is told in words that name the way out, never in a library's."""

import errno
import socket
import ssl

import pytest
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from flow_operator.cli.reachability import cause


def wrapped(inner: Exception) -> MaxRetryError:
    """As urllib3 tells it."""
    return MaxRetryError(None, "/apis", inner)  # type: ignore[arg-type]


def refused(error: OSError) -> NewConnectionError:
    told = NewConnectionError(None, "<HTTPSConnection at 0x7f>: Failed to establish a new connection")  # type: ignore[arg-type]
    told.__cause__ = error
    return told


def certificate(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:1000)")
    error.verify_code = code
    return error


def tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] (_ssl.c:1000)")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (wrapped(refused(ConnectionRefusedError(111, "Connection refused"))), "connection refused: is it running"),
        (
            wrapped(refused(socket.gaierror(-2, "Name or service not known"))),
            "its name has no address: check the server",
        ),
        (wrapped(refused(OSError(errno.EHOSTUNREACH, "No route to host"))), "no route to host"),
        (
            wrapped(ConnectTimeoutError("timed out. (connect timeout=30)")),
            "it did not answer in time: check your network",
        ),
        (ReadTimeoutError(None, "/", "Read timed out."), "it did not answer in time"),  # type: ignore[arg-type]
        (wrapped(SSLError(certificate(20))), "its certificate is not signed by the authority in your kubeconfig"),
        (wrapped(SSLError(certificate(10))), "its certificate has expired"),
        (wrapped(SSLError(certificate(64))), "its certificate is for another name: check the server"),
        (wrapped(SSLError(tls("WRONG_VERSION_NUMBER"))), "it does not speak TLS: check the server"),
        (wrapped(SSLError(tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"))), "no TLS connection came about: check the certif"),
        (ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer")), "the connection broke off"),
        (ProtocolError("InvalidChunkLength(got length b'', 0 bytes read)"), "the connection broke off"),
        (ConnectionResetError(104, "Connection reset by peer"), "the connection broke off"),
        (wrapped(ValueError("_ssl.c:1000 0x7f")), "the connection failed"),
    ],
)
def test_what_stands_in_the_way(error: Exception, said: str) -> None:
    told = cause(error)
    assert told.startswith(said)
    for raw in ("0x7f", "_ssl", "HTTPSConnection", "Errno", "timeout="):
        assert raw not in told
