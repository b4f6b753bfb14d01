"""Two operators: one acts, the other is warm and takes over when the first is gone, and nothing happens twice."""

import time
from collections.abc import Mapping

import pytest
from examples.order.services import Did, Mode
from tests.controlplane import eventually
from tests.e2e.operator import Operator
from tests.e2e.relay import DURATION, SHORT_LEASE
from tests.e2e.replicas import LONG_LEASE, SLACK
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e


@pytest.fixture
def held(bare_shop: Shop, sagas: Sagas) -> Shop:
    """A shop with no operator yet, a saga of two steps, and a first step whose service does not answer."""
    bare_shop.create(sagas.chain("order", "Stock.Reserve", "Courier.Ship"))
    bare_shop.behave("Stock.Reserve", Mode.HOLD)
    return bare_shop


def pair(shop: Shop, lease: Mapping[str, str]) -> tuple[Operator, Operator]:
    """One that acts, and one that stands by."""
    first = shop.hire("first", **lease)
    eventually(lambda: acts(first), within=SLACK, what="the first acting")
    return first, shop.hire("second", **lease)


def acts(operator: Operator) -> bool:
    """Whether an operator has said that it acts."""
    return "acting" in operator.log.read_text()


def did(shop: Shop, step: str) -> list[Did]:
    """What the calls of a step of the run did."""
    return [call.did for call in shop.calls("run") if call.step == step]


def test_a_standby_does_nothing(held: Shop) -> None:
    first, second = pair(held, LONG_LEASE)
    held.start("order")
    held.until_called("run", "a")
    held.works_again("Stock.Reserve")
    held.until_ended("run")

    assert (acts(first), acts(second)) == (True, False)
    assert [did(held, "a"), did(held, "b")] == [[Did.APPLIED], [Did.APPLIED]]


@pytest.mark.fault(
    "the acting operator of two dies",
    "The other takes over within the lease's duration and repeats what was in flight, under its key",
)
def test_it_takes_over_when_the_first_is_killed(held: Shop) -> None:
    first, second = pair(held, SHORT_LEASE)
    held.start("order")
    held.until_called("run", "a")

    first.kill()
    held.works_again("Stock.Reserve")
    eventually(lambda: acts(second), within=DURATION + SLACK, what="the second acting")

    assert held.until_ended("run")["phase"] == "Success"
    assert did(held, "a") == [Did.APPLIED, Did.REPLAYED]


@pytest.mark.fault(
    "the acting operator of two is asked to end (SIGTERM)",
    "It stores what is in flight and gives its lease back; the other acts at once, and nothing is repeated",
)
def test_it_takes_over_at_once_when_the_first_is_asked_to_end(held: Shop) -> None:
    """Long before the lease ends; what is in flight at the first is stored by the first before it ends."""
    first, second = pair(held, LONG_LEASE)
    held.start("order")
    held.until_called("run", "a")

    first.ask_to_end()
    held.start("order", "later")
    held.works_again("Stock.Reserve")
    began = time.monotonic()
    eventually(lambda: acts(second), within=SLACK, what="the second acting")

    assert held.until_ended("run")["phase"] == "Success"
    assert held.until_ended("later")["phase"] == "Success"
    assert time.monotonic() - began < 60
    assert did(held, "a") == [Did.APPLIED]
    assert first.wait(5) == 0


@pytest.mark.fault(
    "the acting operator freezes for longer than its lease, and comes back",
    "It sends and writes nothing more: the other has taken over",
)
def test_an_operator_that_was_frozen_does_not_go_on_where_another_took_over(held: Shop) -> None:
    first, second = pair(held, SHORT_LEASE)
    held.start("order")
    held.until_called("run", "a")

    first.pause()
    held.works_again("Stock.Reserve")
    eventually(lambda: acts(second), within=DURATION + SLACK, what="the second acting")
    held.until_ended("run")
    first.go_on()
    eventually(lambda: "not held by first any more" in first.log.read_text(), within=5, what="the first standing by")
    held.start("order", "later")

    assert held.until_ended("later")["phase"] == "Success"
    assert did(held, "a") == [Did.APPLIED, Did.REPLAYED]


@pytest.mark.fault(
    "the only operator dies while its lease of a minute is in force",
    "Started again under its name, it takes the lease back at once",
)
def test_a_restart_under_the_same_identity_need_not_wait(held: Shop) -> None:
    operator = held.hire("first", **LONG_LEASE)
    held.start("order")
    held.until_called("run", "a")
    began = time.monotonic()

    operator.crash()
    held.works_again("Stock.Reserve")

    assert held.until_ended("run")["phase"] == "Success"
    assert time.monotonic() - began < 30
