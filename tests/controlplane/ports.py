"""Loopback ports that stay ours while a server is down."""

import socket


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
