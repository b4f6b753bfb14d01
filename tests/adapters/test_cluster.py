"""Requests to the API server as they go over the wire, and what each of its answers becomes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from flow_operator.adapters.cluster import ApiServer
from flow_operator.adapters.sessions import api_server_session
from flow_operator.engine.errors import ClusterError, Conflict, Forbidden, Gone, NotNow, Refused, Unavailable

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

RUN = "/apis/flow.unistack.org/v1alpha1/namespaces/shop/workflowexecutions/run"


@asynccontextmanager
async def api_server(handler: Handler, *namespaces: str, patience: float = 5.0) -> AsyncIterator[ApiServer]:
    """An adapter whose API server is this handler."""
    app = web.Application(client_max_size=8 * 1024**2)
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server, api_server_session(base_url=str(server.make_url("/"))) as session:
        yield ApiServer(session, namespaces, timeout=patience)


def answering(status: int, body: Any = None, **header: str) -> Handler:
    """Always this answer."""

    async def handle(_: web.Request) -> web.Response:
        return web.json_response(body, status=status, headers={k.replace("_", "-"): v for k, v in header.items()})

    return handle


class Seen:
    """Answers with metadata, and keeps the last request."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer or {"metadata": {"resourceVersion": "8"}}
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []

    async def handle(self, request: web.Request) -> web.Response:
        text = await request.text()
        header = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.method, str(request.rel_url), header, json.loads(text) if text else None))
        return web.json_response(self.answer)


async def test_a_list_may_be_of_objects_with_a_label_only() -> None:
    seen = Seen({"items": [{"endpoints": []}]})
    async with api_server(seen.handle) as cluster:
        assert await cluster.list_all("endpointslices", "default", "kubernetes.io/service-name=kubernetes")
        assert await cluster.list_all("leases", "default")
    assert [path for _, path, _, _ in seen.requests] == [
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name%3Dkubernetes",
        "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    ]


async def test_a_status_is_written_as_cheaply_as_possible() -> None:
    seen = Seen()
    async with api_server(seen.handle) as cluster:
        metadata = await cluster.write_status("workflowexecutions", "shop", "run", "u", "7", {"phase": "Running"})
    [(method, path, header, body)] = seen.requests
    assert metadata == {"resourceVersion": "8"}
    assert (method, path) == ("PUT", f"{RUN}/status?fieldValidation=Ignore")
    assert header["accept"] == "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    assert header["content-type"] == "application/json"
    assert body == {
        "apiVersion": "flow.unistack.org/v1alpha1",
        "kind": "WorkflowExecution",
        "metadata": {"name": "run", "namespace": "shop", "uid": "u", "resourceVersion": "7"},
        "status": {"phase": "Running"},
    }


async def test_a_patch_is_a_merge_patch_answered_with_metadata() -> None:
    seen = Seen()
    async with api_server(seen.handle) as cluster:
        await cluster.patch("workflowexecutions", "shop", "run", {"metadata": {"annotations": {"a": None}}})
    [(method, path, header, body)] = seen.requests
    assert (method, path) == ("PATCH", RUN)
    assert header["content-type"] == "application/merge-patch+json"
    assert "PartialObjectMetadata" in header["accept"]
    assert body == {"metadata": {"annotations": {"a": None}}}


@pytest.mark.parametrize(
    ("plural", "path"),
    [
        ("steps", "/apis/flow.unistack.org/v1alpha1/namespaces/shop/steps/x"),
        ("controllerrevisions", "/apis/apps/v1/namespaces/shop/controllerrevisions/x"),
        ("leases", "/apis/coordination.k8s.io/v1/namespaces/shop/leases/x"),
    ],
)
async def test_every_kind_has_its_place(plural: str, path: str) -> None:
    seen = Seen()
    async with api_server(seen.handle) as cluster:
        await cluster.read(plural, "shop", "x")
        await cluster.replace(plural, "shop", "x", {"spec": 1})
        await cluster.create(plural, "shop", {"spec": 1})
    assert [(method, where) for method, where, _, _ in seen.requests] == [
        ("GET", path),
        ("PUT", path),
        ("POST", path.removesuffix("/x")),
    ]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (401, Unavailable),
        (403, Forbidden),
        (404, Gone),
        (408, Unavailable),
        (409, Conflict),
        (410, Gone),
        (413, Refused),
        (422, Refused),
        (429, NotNow),
        (500, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
    ],
)
async def test_what_an_answer_means(status: int, error: type[ClusterError]) -> None:
    async with api_server(answering(status, {"kind": "Status", "message": "the\nreason"})) as cluster:
        with pytest.raises(ClusterError, match=f"{status} the reason") as caught:
            await cluster.read("steps", "shop", "x")
    assert type(caught.value) is error


@pytest.mark.parametrize(("given", "seconds"), [("7", 7.0), ("soon", None), ("-1", None), ("", None)])
async def test_retry_after_is_kept_if_it_can_be_read(given: str, seconds: float | None) -> None:
    async with api_server(answering(429, {}, Retry_After=given)) as cluster:
        with pytest.raises(NotNow) as caught:
            await cluster.read("steps", "shop", "x")
    assert caught.value.retry_after == seconds


async def test_no_answer_in_time_says_nothing_about_whether_it_was_done() -> None:
    forever = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await forever.wait()
        return web.Response()

    async with api_server(hang, patience=0.05) as cluster:
        with pytest.raises(Unavailable):
            await cluster.read("steps", "shop", "x")
        forever.set()


async def test_a_connection_that_breaks_off_says_nothing_either() -> None:
    async def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with api_server(cut) as cluster:
        with pytest.raises(Unavailable):
            await cluster.write_status("steps", "shop", "x", "u", "1", {})


async def test_nobody_listening() -> None:
    async with api_server_session(base_url=f"http://127.0.0.1:{unused_port()}") as session:
        with pytest.raises(Unavailable):
            await ApiServer(session).read("steps", "shop", "x")


async def test_an_answer_that_is_no_json() -> None:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(text="<html>")

    async with api_server(handle) as cluster:
        with pytest.raises(Unavailable):
            await cluster.read("steps", "shop", "x")


async def test_a_list_goes_through_all_pages_of_all_namespaces() -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(str(request.rel_url))
        more = {} if "continue" in request.query else {"continue": "a/b+c"}
        name = f"{request.path.split('/')[5]}-{len(asked)}"
        return web.json_response({"metadata": more, "items": [{"metadata": {"name": name}}]})

    async with api_server(handle, "one", "two") as cluster:
        pages = [page async for page in cluster.pages("steps", metadata_only=False)]
    assert [item["metadata"]["name"] for page in pages for item in page] == ["one-1", "one-2", "two-3", "two-4"]
    assert asked[1] == "/apis/flow.unistack.org/v1alpha1/namespaces/one/steps?limit=500&continue=a/b%2Bc"


async def test_a_list_of_everything_is_one_request_and_can_be_metadata_only() -> None:
    seen = Seen({"metadata": {}, "items": None})
    async with api_server(seen.handle) as cluster:
        assert [page async for page in cluster.pages("workflows", metadata_only=True)] == [[]]
    [(_, path, header, _)] = seen.requests
    assert path == "/apis/flow.unistack.org/v1alpha1/workflows?limit=500"
    assert header["accept"] == "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
