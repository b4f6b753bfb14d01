"""Under which names and addresses the API server is known, so that no workflow calls it (semantics: Endpoints).

They come from three sources, and the last two change while the operator runs:

- the names of the Service `default/kubernetes`, and the host that the operator itself connects to;
- the addresses that these hosts resolve to;
- the endpoints of that Service: a pod that knows the address of a control-plane node needs no Service to get there.

The endpoints are in EndpointSlices. They are listed by label, not read by name: the API server calls its own slice
`kubernetes`, but where the endpoints are maintained by something else, the slices have generated names. What cannot be
read now stays as it was last known.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

from flow_operator.adapters import addresses
from flow_operator.adapters.egress import Destinations, Rules
from flow_operator.engine.errors import ClusterError, Forbidden, Unavailable

log = logging.getLogger(__name__)

SERVICE_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
SLICES = "endpointslices"
NAMESPACE = "default"
LABEL = "kubernetes.io/service-name=kubernetes"

REFRESH_SECONDS = 60.0
RETRY_SECONDS = 5.0
LOOKUP_SECONDS = 10.0


class Lister(Protocol):
    """The API server, as far as it is needed to find its own endpoints."""

    async def list_all(self, plural: str, namespace: str, labels: str = "") -> list[dict[str, Any]]:
        """All objects of a namespace with these labels; a ClusterError if they cannot be listed."""
        ...


class ApiServerNames:
    """Keeps `rules.api_server` current."""

    def __init__(self, cluster: Lister, rules: Rules, server: str, environ: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._rules = rules
        self._hosts = [host for host in (urlsplit(server).hostname, environ.get("KUBERNETES_SERVICE_HOST")) if host]
        self._resolved: dict[str, set[str]] = {}
        self._endpoints: set[str] = set()
        self._told_why = False

    async def learn(self) -> None:
        """Return when all is known that can be: nothing may be called before."""
        while True:
            if await self.refresh():
                return
            await asyncio.sleep(RETRY_SECONDS)

    async def keep_current(self) -> None:
        """Find out again every minute, until cancelled."""
        pause = REFRESH_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = REFRESH_SECONDS if await self.refresh() else RETRY_SECONDS

    async def refresh(self) -> bool:
        """Find out once; False if that is worth a retry soon."""
        settled, _ = await asyncio.gather(self._list_endpoints(), self._resolve_hosts())
        found = self._endpoints.union(*self._resolved.values())
        self._rules.api_server = Destinations.of([*SERVICE_NAMES, *self._hosts, *sorted(found)])
        return settled

    async def _resolve_hosts(self) -> None:
        await asyncio.gather(*map(self._resolve, self._hosts))

    async def _resolve(self, host: str) -> None:
        with suppress(OSError, UnicodeError):  # a name that has no address cannot be called either
            async with asyncio.timeout(LOOKUP_SECONDS):
                found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
            self._resolved[host] = {str(addresses.parse(str(endpoint[0]))) for *_, endpoint in found}

    async def _list_endpoints(self) -> bool:
        try:
            self._endpoints = endpoint_addresses(await self._cluster.list_all(SLICES, NAMESPACE, LABEL))
        except Forbidden as error:
            self._tell(error)
        except Unavailable as error:
            log.warning("the API server's endpoints could not be listed, which will be tried again: %s", error)
            return False
        except ClusterError as error:
            self._tell(error)
        else:
            self._told_why = False
        return True

    def _tell(self, error: ClusterError) -> None:
        if not self._told_why:
            log.warning(
                "the addresses of the API server's endpoints are not known (%s): allow the operator to list "
                "EndpointSlices in the namespace default, or name the addresses in FLOW_EGRESS_DENY",
                error,
            )
        self._told_why = True


def endpoint_addresses(slices: Iterable[Mapping[str, Any]]) -> set[str]:
    """Every address in these EndpointSlices, ready or not; what is not an address is left out."""
    found: set[str] = set()
    for each in slices:
        for endpoint in each.get("endpoints") or ():
            for text in endpoint.get("addresses") or ():
                with suppress(ValueError):
                    found.add(str(addresses.parse(text)))
    return found
