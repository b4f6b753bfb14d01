"""Why the API server cannot be reached, in words that name the way out; never the words of a library."""

import os
import socket
import ssl

from urllib3.exceptions import NameResolutionError, ProtocolError, SSLError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError

_EXPIRED, _HOST_NAME, _ADDRESS = 10, 62, 64
"""Codes of OpenSSL for a certificate that is refused."""


def cause(error: BaseException) -> str:
    """What stands in the way, for the most telling of the errors that led to this one."""
    chain = list(_chain(error))
    for judge in (_of_certificate, _of_name, _of_time, _of_connection):
        for each in reversed(chain):
            if (said := judge(each)) is not None:
                return said
    return "the connection failed"


def _chain(error: BaseException) -> "list[BaseException]":
    found: list[BaseException] = []
    next_one: object = error
    while isinstance(next_one, BaseException) and next_one not in found:
        found.append(next_one)
        reason = getattr(next_one, "reason", None)
        inside = next((each for each in next_one.args if isinstance(each, BaseException)), None)
        next_one = reason if isinstance(reason, BaseException) else inside or next_one.__cause__ or next_one.__context__
    return found


def _of_certificate(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == _EXPIRED:
            return "its certificate has expired"
        if error.verify_code in (_HOST_NAME, _ADDRESS):
            return "its certificate is for another name: check the server in your kubeconfig"
        return "its certificate is not signed by the authority in your kubeconfig: check certificate-authority-data"
    if isinstance(error, ssl.SSLError) and error.reason in (
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
    ):
        return "it does not speak TLS: check the server in your kubeconfig, https may have to be http"
    if isinstance(error, ssl.SSLError | SSLError):
        return "no TLS connection came about: check the certificates and keys in your kubeconfig"
    return None


def _of_name(error: BaseException) -> str | None:
    if isinstance(error, socket.gaierror | NameResolutionError):
        return "its name has no address: check the server in your kubeconfig, and your network or VPN"
    return None


def _of_time(error: BaseException) -> str | None:
    # ConnectTimeoutError of urllib3 is the parent of its NewConnectionError, which is about anything.
    if isinstance(error, socket.timeout) or (
        isinstance(error, HTTPTimeoutError) and type(error).__name__ != "NewConnectionError"
    ):
        return "it did not answer in time: check your network or VPN"
    return None


def _of_connection(error: BaseException) -> str | None:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: is it running, and is this the right context (kubectl config current-context)?"
    if isinstance(error, ConnectionError | ProtocolError):
        return "the connection broke off"
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return os.strerror(error.errno).lower()
    return None
