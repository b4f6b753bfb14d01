"""The operator dies (SIGKILL) before and after each write of the status of a Workflow or a Step.

People create a Workflow and a run of it, then the Step that it refers to, and edit the Step. That is played once
without a fault, and the writes are counted; then again for each of them.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from examples.order.services import Did
from tests.controlplane import eventually
from tests.e2e.failpoints import Failpoints, Kind, Point
from tests.e2e.kube import Object
from tests.e2e.proxied_shop import ProxiedShop
from tests.e2e.relay import Relay
from tests.e2e.sagas import Sagas, step, workflow
from tests.e2e.shop import Shop, condition

pytestmark = pytest.mark.e2e

PLAIN = "plain"
PLURALS = ("workflows", "steps")
WITHIN = 30.0


@pytest.mark.fault(
    "the operator dies just before or just after a write of the status of a Workflow or a Step",
    "It, started again, or a replica that takes over writes what is to be written; runs start when they can",
)
@pytest.mark.parametrize(
    ("replicas", "every"),
    [
        pytest.param(("one",), 3, id="some writes"),
        pytest.param(("one",), 1, id="every write", marks=pytest.mark.full),
        pytest.param(("one", "two"), 1, id="every write, and a replica takes over", marks=pytest.mark.full),
    ],
)
def test_killed_at_writes_about_definitions(
    proxied_shop: ProxiedShop, sagas: Sagas, replicas: tuple[str, ...], every: int
) -> None:
    shop, failpoints = proxied_shop.shop, Failpoints()
    proxied_shop.api.rules = [failpoints]
    relay = Relay(proxied_shop, *replicas)
    for told in story(shop, sagas, PLAIN):
        eventually(told, within=WITHIN, what=f"all told about {PLAIN}")
    expected = outcome(shop, PLAIN)
    points = [
        (plural, Point(Kind.DEFINITION, number, answer))
        for plural in PLURALS
        for number in range(1, failpoints.passed(f"{plural}/{PLAIN}")[Kind.DEFINITION] + 1)
        for answer in (False, True)
    ]
    assert len(points) == 10, "three writes about the Workflow, two about the Step"

    for plural, point in points[::every]:
        name = f"{'after' if point.answer else 'before'}-{plural}-{point.number}"
        held = f"{plural}/{name}"
        failpoints.hold(held, point)
        play(relay, story(shop, sagas, name), partial(failpoints.is_held, held))
        assert outcome(shop, name) == expected


def story(shop: Shop, sagas: Sagas, name: str) -> Iterator[Callable[[], bool]]:
    """What people do, one thing after the other; after each of them, whether all is told that follows from it."""
    shop.create(workflow(name, {"id": "a", "stepRef": {"name": name}}))
    yield lambda: _ready(shop, "workflows", name)["reason"] == "StepNotFound"
    shop.start(name, name)
    shop.create(step(name, endpoint=sagas.endpoint("Stock.Reserve")))
    yield (
        lambda: (
            all(_ready(shop, plural, name)["status"] == "True" for plural in PLURALS)
            and "completionTime" in shop.status(name)
        )
    )
    shop.kube.patch("steps", shop.namespace, name, {"spec": {"timeout": {"request": "7s"}}})
    yield (
        lambda: (
            _status(shop, "steps", name)["observedGeneration"] == 2
            and _status(shop, "workflows", name)["revision"] != shop.status(name)["revision"]
        )
    )


def _either(one: Callable[[], bool], other: Callable[[], bool]) -> bool:
    return one() or other()


def play(relay: Relay, story: Iterator[Callable[[], bool]], is_held: Callable[[], bool]) -> None:
    """Play it; the operator dies when it is held, once."""
    before = relay.deaths

    def die_and_wait(told: Callable[[], bool]) -> None:
        relay.die()
        eventually(lambda: told() and not is_held(), within=WITHIN, what="all told after the death")

    told: Callable[[], bool] = bool
    for told in story:
        eventually(partial(_either, is_held, told), within=WITHIN, what="held, or all told")
        if is_held():
            die_and_wait(told)
    # What it was held at may have been the last that was to be told.
    eventually(lambda: is_held() or relay.deaths > before, within=WITHIN, what="held")
    if is_held():
        die_and_wait(told)


def outcome(shop: Shop, name: str) -> tuple[Any, ...]:
    """What is told of the definitions, and what became of the run and of one that is started now."""
    shop.start(name, f"{name}-later")
    later = shop.until_ended(f"{name}-later")
    statuses = [_status(shop, plural, name) for plural in PLURALS]
    conditions = [
        (each["type"], each["status"], each["reason"], each["observedGeneration"])
        for status in statuses
        for each in status["conditions"]
    ]
    applied = [call.step for run in (name, f"{name}-later") for call in shop.calls(run) if call.did is Did.APPLIED]
    pinned = later["revision"] == statuses[0]["revision"]
    return conditions, statuses[0]["levels"], shop.status(name)["phase"], later["phase"], applied, pinned


def _ready(shop: Shop, plural: str, name: str) -> Object:
    return condition(_status(shop, plural, name), "Ready") or {"status": "", "reason": ""}


def _status(shop: Shop, plural: str, name: str) -> Object:
    found = shop.kube.get(plural, shop.namespace, name)
    assert found is not None
    status: Object = found["status"]
    return status
