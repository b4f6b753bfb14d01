"""Loopback ports that nobody else is given before a server listens, or while it is down."""

import contextlib
import secrets
import socket

UNASSIGNED = range(10240, 32768)
"""Below what Linux assigns by itself, to outgoing connections and to whoever listens at port 0."""


def quiet_port() -> int:
    """A free port of 127.0.0.1 for a server that cannot share it with a `ReservedPort`: nobody gets it by chance."""
    while True:
        port = secrets.choice(UNASSIGNED)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class ReservedPort:
    """A free port of 127.0.0.1, kept for a server that listens with SO_REUSEPORT.

    The socket here is bound but never listens, so it takes no connection; it keeps everybody else, outgoing connections
    included, from being given the port before the server starts and while it restarts.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def __str__(self) -> str:
        return str(self.number)

    def release(self) -> None:
        """Give the port back."""
        self._socket.close()
