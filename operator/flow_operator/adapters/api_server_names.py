"""Under which names and addresses the API server is known, so that no workflow calls it (semantics: Endpoints)."""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from flow_operator.adapters.egress import Destinations

SERVICE_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")


async def known_as(server: str, environ: Mapping[str, str]) -> Destinations:
    """Its names, and the addresses that they have now."""
    hosts = [host for host in (urlsplit(server).hostname, environ.get("KUBERNETES_SERVICE_HOST")) if host]
    addresses: set[str] = set()
    for host in hosts:
        with suppress(OSError):  # a name that has no address cannot be called either
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
            addresses.update(str(endpoint[0]) for *_, endpoint in found)
    return Destinations.of([*SERVICE_NAMES, *hosts, *addresses])
