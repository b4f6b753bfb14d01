"""Revisions that many runs need at the same time: one asks, and all know."""

import asyncio
from typing import Any

import pytest
from tests.reconciler.stage import Tally

from flow_operator.api.reasons import Reason
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.errors import ClusterError, Forbidden, Gone, Refused, Unavailable
from flow_operator.reconciler.revisions import Revisions

DEFINITION = Definition(workflow="order", steps=())
RUNS = 50


class Revisioned:
    """An API server that takes a while, and counts what it is asked."""

    def __init__(self, error: ClusterError | None = None) -> None:
        self.error = error or Unavailable("the API server is away")
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
            raise self.error


def remembering(cluster: Revisioned, **bounds: int) -> Revisions:
    """Revisions of that API server."""
    return Revisions(cluster, Tally([]), **bounds)  # type: ignore[arg-type]


def heavy(workflow: str) -> Definition:
    """One of some 10,000 bytes."""
    return Definition(workflow=workflow, steps=(), output={"body": "x" * 10_000})


@pytest.fixture
def cluster() -> Revisioned:
    return Revisioned()


@pytest.fixture
def revisions(cluster: Revisioned) -> Revisions:
    return remembering(cluster)


async def test_runs_that_start_together_create_their_revision_once(cluster: Revisioned, revisions: Revisions) -> None:
    await asyncio.gather(*(revisions.ensure("shop", DEFINITION) for _ in range(RUNS)))
    assert cluster.asked == ["create"]


async def test_runs_that_go_on_together_read_their_revision_once(cluster: Revisioned, revisions: Revisions) -> None:
    await revisions.ensure("shop", DEFINITION)
    later = remembering(cluster)
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


async def test_what_is_remembered_is_bounded_by_bytes_and_those_used_last_stay(cluster: Revisioned) -> None:
    revisions = remembering(cluster, remembered_bytes=35_000)
    first, second, third, fourth = (heavy(name) for name in ("first", "second", "third", "fourth"))
    for definition in (first, second, third):
        await revisions.ensure("shop", definition)
    await revisions.load("shop", first.revision)
    await revisions.ensure("shop", fourth)
    cluster.asked.clear()

    for definition in (first, third, fourth):
        await revisions.load("shop", definition.revision)
    assert cluster.asked == []
    await revisions.load("shop", second.revision)
    assert cluster.asked == ["read"]


async def test_what_was_read_counts_as_much_as_what_was_created(cluster: Revisioned) -> None:
    definitions = [heavy(f"order-{number}") for number in range(100)]
    for definition in definitions:
        await remembering(cluster).ensure("shop", definition)
    revisions = remembering(cluster, remembered_bytes=35_000)
    for definition in definitions:
        await revisions.load("shop", definition.revision)
    assert len(revisions._known) == 3


async def test_one_that_is_larger_than_all_the_room_is_remembered_alone(cluster: Revisioned) -> None:
    revisions = remembering(cluster, remembered_bytes=5_000)
    await revisions.ensure("shop", DEFINITION)
    await revisions.ensure("shop", heavy("order"))
    await revisions.load("shop", heavy("order").revision)
    assert cluster.asked == ["create", "create"]


async def test_what_was_forgotten_gives_its_room_back(cluster: Revisioned) -> None:
    revisions = remembering(cluster, remembered_bytes=35_000)
    for _ in range(10):
        await revisions.ensure("shop", heavy("order"))
        revisions.forget("shop", "order")
    for name in ("first", "second", "third"):
        await revisions.ensure("shop", heavy(name))
    cluster.asked.clear()
    await revisions.ensure("shop", heavy("first"))
    assert cluster.asked == []


@pytest.mark.parametrize(
    ("error", "counted"),
    [(Forbidden("exceeded quota"), "refused"), (Refused("422"), "refused"), (Unavailable("503"), "unavailable")],
)
async def test_a_revision_that_cannot_be_created_is_counted(error: ClusterError, counted: str) -> None:
    tally = Tally([])
    cluster = Revisioned(error)
    cluster.failures = 1
    revisions = Revisions(cluster, tally)  # type: ignore[arg-type]
    with pytest.raises(type(error)):
        await revisions.ensure("shop", DEFINITION)
    await revisions.ensure("shop", DEFINITION)
    assert tally.writes == [counted, "stored"]
