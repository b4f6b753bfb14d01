"""What is too large fails, and is undone, before the API server says no; what is as large as may be works."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.controlplane import eventually
from tests.e2e.kube import Object
from tests.e2e.raw_service import RawService
from tests.e2e.sagas import workflow
from tests.e2e.shop import Shop, condition

pytestmark = pytest.mark.e2e

KIB = 1024
PATIENCE = 120.0
"""Seconds for a run to end: every write of so large a status takes its time."""


def text(size: int) -> bytes:
    """A JSON string of so many bytes."""
    return b'"' + b"x" * (size - 2) + b'"'


@pytest.fixture
def service() -> Iterator[RawService]:
    answers = {"/huge": text(128 * KIB + 1), "/large": text(127 * KIB), "/undo": b"{}"}
    with RawService(answers) as running:
        yield running


def step(service: RawService, id: str, path: str, *requires: str, **fields: Any) -> Object:
    """A step that asks for an answer of that size, and has an undo that asks for little."""
    undo = {"endpoint": {"url": service.url("/undo")}, "input": {"body": {"undo": id}}}
    return {
        "id": id,
        "endpoint": {"url": service.url(path)},
        "requires": list(requires),
        "input": {"body": {"do": id}},
        "compensate": undo,
        **fields,
    }


def undone(service: RawService) -> list[str]:
    """Steps that were undone."""
    return [json.loads(body)["undo"] for body in service.received.get("/undo", [])]


def test_an_answer_that_is_too_large(shop: Shop, service: RawService) -> None:
    """The service has done its work: that is undone, without the answer."""
    shop.define(workflow("order", step(service, "a", "/huge")))
    shop.start("order")

    status = shop.until_ended("run", within=PATIENCE)

    assert (status["phase"], status["reason"]) == ("Failure", "PayloadTooLarge")
    assert status["steps"][0]["effect"] == "Applied"
    assert status["compensation"]["phase"] == "Success"
    assert undone(service) == ["a"]


def test_answers_that_are_too_large_together(shop: Shop, service: RawService) -> None:
    ids = [f"s{number}" for number in range(9)]
    steps = [step(service, id, "/large", *ids[max(n - 1, 0) : n]) for n, id in enumerate(ids)]
    shop.define(workflow("order", *steps))
    shop.start("order")

    status = shop.until_ended("run", within=PATIENCE)

    assert (status["phase"], status["reason"]) == ("Failure", "StatusTooLarge")
    assert condition(status, "LargeStatus")["status"] == "True"
    assert status["compensation"]["phase"] == "Success"
    failed = next(step["id"] for step in status["steps"] if step["phase"] == "Failure")
    assert undone(service) == ids[ids.index(failed) :: -1]


def test_a_request_that_is_too_large_is_not_sent(shop: Shop, service: RawService) -> None:
    ids = [f"s{number}" for number in range(5)]
    everything = {id: [f"${{steps.{id}.output}}"] * 2 for id in ids}
    last = step(service, "last", "/large", *ids, input={"body": everything})
    shop.define(workflow("order", *(step(service, id, "/large") for id in ids), last))
    shop.start("order")

    status = shop.until_ended("run", within=PATIENCE)

    assert (status["phase"], status["reason"]) == ("Failure", "PayloadTooLarge"), status["message"]
    assert status["steps"][-1].get("effect", "None") == "None"
    assert sorted(undone(service)) == ids


def test_a_workflow_of_as_many_steps_as_may_be(shop: Shop, service: RawService) -> None:
    ids = [f"s{number}" for number in range(199)]
    fan_in = step(service, "last", "/last", *ids, input={"body": {}})
    shop.define(workflow("order", *(step(service, id, f"/{id}") for id in ids), fan_in))
    shop.start("order")

    status = shop.until_ended("run", within=PATIENCE)

    assert (status["phase"], status["progress"]) == ("Success", "200/200")
    assert {len(bodies) for bodies in service.received.values()} == {1}


def test_names_as_long_as_may_be(shop: Shop, service: RawService) -> None:
    name, id = ".".join(["x" * 63, "y" * 63, "z" * 63, "w" * 61]), "a" * 63
    saga = workflow("o" * 63, step(service, id, "/done"), step(service, "b", "/huge", id))
    shop.define(saga)
    shop.start("o" * 63, name)

    status = shop.until_ended(name)

    assert (status["phase"], status["compensation"]["phase"]) == ("Failure", "Success")
    assert service.headers["/undo"]["x-flow-execution"] == f"{shop.namespace}/{name}"
    eventually(lambda: shop.events(name), within=10, what="an event")
    assert [reason for _, reason, _ in shop.events(name)] == ["RunFailed"]
