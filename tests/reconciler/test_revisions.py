"""Revisions that many runs need at the same time: one asks, and all know."""

import asyncio
from typing import Any

import pytest

from flow_operator.api.reasons import Reason
from flow_operator.engine.contract import Unresolved
from flow_operator.engine.definition import Definition
from flow_operator.engine.errors import Gone, Unavailable
from flow_operator.reconciler.revisions import Revisions

DEFINITION = Definition(workflow="order", steps=())
RUNS = 50


class Revisioned:
    """An API server that takes a while, and counts what it is asked."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}
        self.asked: list[str] = []
        self.failures = 0

    async def create(self, _plural: str, _namespace: str, document: dict[str, Any]) -> dict[str, Any]:
        await self._answer("create")
        self.stored[document["metadata"]["name"]] = document
        return document

    async def read(self, _plural: str, _namespace: str, name: str) -> dict[str, Any]:
        await self._answer("read")
        if name not in self.stored:
            raise Gone(name)
        found: dict[str, Any] = self.stored[name]
        return found

    async def _answer(self, verb: str) -> None:
        self.asked.append(verb)
        await asyncio.sleep(0.001)
        if self.failures:
            self.failures -= 1
            raise Unavailable("the API server is away")


@pytest.fixture
def cluster() -> Revisioned:
    return Revisioned()


@pytest.fixture
def revisions(cluster: Revisioned) -> Revisions:
    return Revisions(cluster)  # type: ignore[arg-type]


async def test_runs_that_start_together_create_their_revision_once(cluster: Revisioned, revisions: Revisions) -> None:
    await asyncio.gather(*(revisions.ensure("shop", DEFINITION) for _ in range(RUNS)))
    assert cluster.asked == ["create"]


async def test_runs_that_go_on_together_read_their_revision_once(cluster: Revisioned, revisions: Revisions) -> None:
    await revisions.ensure("shop", DEFINITION)
    later = Revisions(cluster)  # type: ignore[arg-type]
    found = await asyncio.gather(*(later.load("shop", DEFINITION.revision) for _ in range(RUNS)))
    assert cluster.asked == ["create", "read"]
    assert found == [DEFINITION] * RUNS


async def test_when_the_one_that_asks_fails_the_next_one_asks(cluster: Revisioned, revisions: Revisions) -> None:
    cluster.failures = 1
    asking = (revisions.ensure("shop", DEFINITION) for _ in range(RUNS))
    failed = [error for error in await asyncio.gather(*asking, return_exceptions=True) if error]
    assert [type(error) for error in failed] == [Unavailable]
    assert cluster.asked == ["create", "create"]


async def test_the_one_that_asks_may_be_cancelled(cluster: Revisioned, revisions: Revisions) -> None:
    first, second = (asyncio.create_task(revisions.ensure("shop", DEFINITION)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert DEFINITION.revision in cluster.stored


async def test_a_revision_that_is_gone_is_asked_for_again(cluster: Revisioned, revisions: Revisions) -> None:
    for _ in range(2):
        found = await revisions.load("shop", "order-gone")
        assert isinstance(found, Unresolved)
        assert found.reason is Reason.REVISION_NOT_FOUND
    assert cluster.asked == ["read", "read"]
