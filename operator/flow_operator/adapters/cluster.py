"""The API server, as far as the operator needs it. What it answers becomes an object or a ClusterError.

A status is written in the cheapest shape there is: a PUT of `/status` with nothing but names, resourceVersion, uid and
status, no field validation, and a reply of metadata only. The resourceVersion makes it a compare-and-swap.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp

from flow_operator.adapters.api_errors import error_of, no_answer
from flow_operator.adapters.lists import JSON, Lists
from flow_operator.api.meta import API_VERSION

Object = dict[str, Any]

ROOTS = {
    "steps": f"/apis/{API_VERSION}",
    "workflows": f"/apis/{API_VERSION}",
    "workflowexecutions": f"/apis/{API_VERSION}",
    "controllerrevisions": "/apis/apps/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "events": "/api/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
}
KINDS = {"steps": "Step", "workflows": "Workflow", "workflowexecutions": "WorkflowExecution"}

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
MERGE_PATCH = "application/merge-patch+json"

TIMEOUT_SECONDS = 15.0


def _untold(_kind: str, _number: int) -> None:
    """Nobody wants to know."""


class ApiServer:
    """Requests to the API server over one session, whose base URL it is."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        namespaces: Iterable[str] = (),
        *,
        timeout: float = TIMEOUT_SECONDS,
        listed: Callable[[str, int], None] = _untold,
    ) -> None:
        """`timeout`: seconds for a request as a whole, in lists for the next bytes.

        `listed` is told a kind and how many of its objects the list under way has brought so far.
        """
        self._session = session
        self._namespaces: tuple[str | None, ...] = tuple(namespaces) or (None,)
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._lists = Lists(session, patience=timeout, listed=listed)

    async def read(self, plural: str, namespace: str, name: str) -> Object:
        """The object as it is now."""
        return await self._request("GET", _path(plural, namespace, name))

    async def write_status(
        self, plural: str, namespace: str, name: str, uid: str, version: str, status: Object
    ) -> Object:
        """Compare and swap the status; the metadata that came of it."""
        document = {
            "apiVersion": API_VERSION,
            "kind": KINDS[plural],
            "metadata": {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": version},
            "status": status,
        }
        path = f"{_path(plural, namespace, name)}/status?fieldValidation=Ignore"
        return _metadata(await self._request("PUT", path, document, accept=METADATA))

    async def patch(self, plural: str, namespace: str, name: str, patch: Object) -> Object:
        """Apply a merge patch; the metadata that came of it."""
        path = _path(plural, namespace, name)
        return _metadata(await self._request("PATCH", path, patch, accept=METADATA, content_type=MERGE_PATCH))

    async def create(self, plural: str, namespace: str, document: Object) -> Object:
        """Create the object; Conflict if it exists."""
        return await self._request("POST", _path(plural, namespace), document)

    async def replace(self, plural: str, namespace: str, name: str, document: Object) -> Object:
        """Compare and swap the whole object."""
        return await self._request("PUT", _path(plural, namespace, name), document)

    async def list_all(self, plural: str, namespace: str, labels: str = "") -> list[Object]:
        """All objects of a namespace that have these labels, at once: for kinds of which there are few."""
        selector = f"?labelSelector={quote(labels, safe='')}" if labels else ""
        items: list[Object] = (await self._request("GET", _path(plural, namespace) + selector)).get("items") or []
        return items

    async def delete(self, plural: str, namespace: str, name: str, uid: str, version: str) -> None:
        """Delete the object as it is; Conflict if it is not so any more."""
        as_it_is = {"preconditions": {"uid": uid, "resourceVersion": version}}
        await self._request("DELETE", _path(plural, namespace, name), as_it_is)

    async def pages(self, plural: str, *, metadata_only: bool) -> AsyncIterator[list[Object]]:
        """Every object in the watched namespaces, a page at a time."""
        paths = (_path(plural, namespace) for namespace in self._namespaces)
        async with aclosing(self._lists.pages(KINDS[plural], *paths, metadata_only=metadata_only)) as pages:
            async for page in pages:
                yield page

    async def _request(
        self, method: str, path: str, body: Object | None = None, *, accept: str = JSON, content_type: str = JSON
    ) -> Object:
        header = {"Accept": accept}
        data = None
        if body is not None:
            header["Content-Type"] = content_type
            data = json.dumps(body, ensure_ascii=False, separators=(",", ":"), check_circular=False).encode()
        try:
            async with self._session.request(
                method, path, data=data, headers=header, timeout=self._timeout, allow_redirects=False
            ) as response:
                answer = await response.read()
                if response.status < HTTPStatus.MULTIPLE_CHOICES:
                    document: Object = json.loads(answer)
                    return document
                raise error_of(response.status, response.headers, answer)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise no_answer(f"{method} {path}", error) from error


def _path(plural: str, namespace: str | None, name: str | None = None) -> str:
    within = "" if namespace is None else f"/namespaces/{namespace}"
    return f"{ROOTS[plural]}{within}/{plural}" + ("" if name is None else f"/{name}")


def _metadata(answer: Object) -> Object:
    metadata: Object = answer["metadata"]
    return metadata
