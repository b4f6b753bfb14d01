"""The API server as the bench reaches it: with the operator's own adapter, so that the shape of a write is the same."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.requests import RUNS, Requests, requests_in
from bench.saga import Object, run
from flow_operator.adapters import credentials
from flow_operator.adapters.cluster import ROOTS, ApiServer
from flow_operator.adapters.sessions import api_server_session

CREATORS = 16


@dataclass(slots=True)
class Written:
    """A run as it stands in the API server."""

    name: str
    uid: str
    version: str


class Client:
    """One user of the API server."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._api = ApiServer(session)

    async def create(self, plural: str, namespace: str, document: Object) -> Object:
        """Create an object; its metadata and all."""
        return await self._api.create(plural, namespace, document)

    async def create_run(self, namespace: str, name: str, workflow: str) -> Written:
        """Create one run."""
        metadata = (await self.create(RUNS, namespace, run(name, workflow)))["metadata"]
        return Written(name, metadata["uid"], metadata["resourceVersion"])

    async def create_runs(self, namespace: str, names: Iterable[str], workflow: str) -> list[Written]:
        """Create runs, as many at once as a busy program would."""
        left = iter(names)

        async def creator() -> list[Written]:
            return [await self.create_run(namespace, name, workflow) for name in left]

        created = await asyncio.gather(*(creator() for _ in range(CREATORS)))
        return [each for some in created for each in some]

    async def write_status(self, namespace: str, written: Written, status: Object) -> None:
        """Write a status exactly as the operator does."""
        metadata = await self._api.write_status(RUNS, namespace, written.name, written.uid, written.version, status)
        written.version = metadata["resourceVersion"]

    async def read(self, plural: str, namespace: str, name: str) -> Object:
        """An object as it is now."""
        return await self._api.read(plural, namespace, name)

    async def version(self) -> str:
        """The version of the API server."""
        async with self._session.get("/version") as answer:
            return str((await answer.json())["gitVersion"])

    async def requests(self) -> Requests:
        """What the API server has been asked so far."""
        async with self._session.get("/metrics") as answer:
            return requests_in(await answer.text())

    @asynccontextmanager
    async def watch(self, namespace: str) -> AsyncIterator["asyncio.Queue[tuple[float, Object]]"]:
        """The events of the runs in a namespace from now on, each with the moment at which its line was there."""
        path = f"{ROOTS[RUNS]}/namespaces/{namespace}/{RUNS}"
        async with self._session.get(f"{path}?limit=1") as answer:
            version = json.loads(await answer.read())["metadata"]["resourceVersion"]
        events: asyncio.Queue[tuple[float, Object]] = asyncio.Queue()

        async def follow(stream: aiohttp.StreamReader) -> None:
            async for line in stream:
                events.put_nowait((time.monotonic(), json.loads(line)))

        async with self._session.get(f"{path}?watch=1&resourceVersion={version}") as answer:
            following = asyncio.create_task(follow(answer.content))
            try:
                yield events
            finally:
                following.cancel()


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[Client]:
    """A client with the credentials of a kubeconfig."""
    access = credentials.load({"KUBECONFIG": str(kubeconfig)})
    async with api_server_session(base_url=access.server, tls=access.tls, token=access.token) as session:
        yield Client(session)
