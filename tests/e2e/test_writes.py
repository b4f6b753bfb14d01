"""How little the operator writes: L + 1 statuses for a run of L levels, and nothing for runs that are idle or over."""

import pytest
from examples.order.services import Mode
from tests.e2e.audit import RUNS, history, requests, until_compared, writes
from tests.e2e.sagas import Sagas, workflow
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

WARM_UP = "warm-up"
BARRIER = "barrier"
METHODS = ("Stock.Reserve", "Payments.Charge", "Gifts.Wrap", "Courier.Ship")


def warmed_up(shop: Shop, saga: str) -> int:
    """Run a saga once, so that its revision is stored; the number of writes so far."""
    shop.start(saga, WARM_UP)
    shop.until_ended(WARM_UP)
    return len(writes(shop))


def made_since(shop: Shop, before: int) -> list[tuple[str, str, str]]:
    """Verb, resource and name of every write of the operator since then."""
    return [(each["verb"], each["objectRef"]["resource"], each["objectRef"]["name"]) for each in writes(shop)[before:]]


def pass_barrier(shop: Shop) -> None:
    """Bring another run to its end: what the operator wanted to do before, it has done."""
    shop.start(BARRIER, BARRIER)
    shop.until_ended(BARRIER)


@pytest.mark.parametrize("levels", [1, 3, 10])
def test_a_run_of_so_many_levels_makes_one_write_more_and_no_other(shop: Shop, sagas: Sagas, levels: int) -> None:
    methods = [METHODS[level % len(METHODS)] for level in range(levels)]
    shop.define(sagas.chain("order", *methods), sagas.chain(BARRIER, "Stock.Reserve"))
    before = warmed_up(shop, "order")

    shop.start("order")
    assert shop.until_ended("run")["phase"] == "Success"
    pass_barrier(shop)

    # By name: what can be read can still be a moment away from the audit log, so the others' last writes may be in it.
    made = [each for each in made_since(shop, before) if not each[2].startswith((WARM_UP, BARRIER))]
    assert set(made) == {("update", RUNS, "run")}
    assert len(made) <= levels + 1
    assert len(made) == len(history(shop, "run").writes)
    assert shop.events("run") == []


def test_steps_of_one_level_share_its_writes(shop: Shop, sagas: Sagas) -> None:
    """Two, three and one step wide: three levels, four writes, unless a service keeps the others waiting for a second.

    Such a second is in the hands of the machine, so the best of three runs is looked at.
    """
    ids = ("b1", "b2", "b3")
    shop.define(
        workflow(
            "order",
            sagas.step("a1", "Stock.Reserve"),
            sagas.step("a2", "Fraud.Check"),
            *(sagas.step(id, method, "a1", "a2") for id, method in zip(ids, METHODS, strict=False)),
            sagas.step("c", "Mail.Send", *ids),
        )
    )
    warmed_up(shop, "order")

    runs = [shop.start("order", f"run-{number}") for number in range(3)]

    assert {shop.until_ended(run)["phase"] for run in runs} == {"Success"}
    assert min(len(history(shop, run).writes) for run in runs) <= 4


def test_idle_and_finished_runs_cause_no_writes_and_no_calls(shop: Shop, sagas: Sagas) -> None:
    """Every kind of run that waits or is over, with the operator as it was and after a restart."""
    step = sagas.step("a", "Mail.Send", retry={"limit": 3, "backoff": {"duration": "1h"}})
    shop.define(
        sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"),
        workflow("retrying", step),
        sagas.chain(BARRIER, "Gifts.Wrap"),
    )
    shop.start("order", "succeeded")
    shop.until_ended("succeeded")
    shop.behave("Courier.Ship", Mode.DECLINE)
    shop.start("order", "failed")
    shop.until_ended("failed")
    shop.behave("Payments.Refund", Mode.UNAVAILABLE)
    shop.start("order", "parked")
    shop.until_phase("parked", "Suspend")
    shop.start("order", "held", suspend=True)
    shop.until_phase("held", "Suspend")
    shop.start("nowhere", "waiting")
    shop.until("waiting", lambda status: status.get("reason") == "WorkflowNotFound", "waiting")
    shop.behave("Mail.Send", Mode.UNAVAILABLE)
    shop.start("retrying", "retrying")
    shop.until_step("retrying", "a", lambda step: "nextAttemptTime" in step, "backing off")
    pass_barrier(shop)
    before, calls = len(writes(shop)), len(shop.services.entries())

    shop.operator.crash()
    shop.start(BARRIER, "after-the-crash")
    shop.until_ended("after-the-crash")
    shop.operator.stop()
    shop.operator.start()
    shop.start(BARRIER, "after-a-restart")
    shop.until_ended("after-a-restart")

    names = {name for _, _, name in made_since(shop, before)} - {BARRIER}
    assert names == {"after-the-crash", "after-a-restart"}
    assert len(shop.services.entries()) == calls + 2


def test_definitions_are_written_only_when_they_change(shop: Shop, sagas: Sagas) -> None:
    shop.define(sagas.chain("order", "Stock.Reserve"), sagas.chain(BARRIER, "Gifts.Wrap"))
    before = len(writes(shop))

    shop.operator.crash()
    shop.kube.patch("workflows", shop.namespace, "order", {"metadata": {"labels": {"team": "shop"}}})
    pass_barrier(shop)

    assert ("workflows", "order") not in {(resource, name) for _, resource, name in made_since(shop, before)}


def test_runs_cost_no_reads(shop: Shop, sagas: Sagas) -> None:
    """What the watches bring is all that is needed."""
    shop.define(sagas.chain("order", "Stock.Reserve"))
    until_compared(shop)
    before = len(list(requests(shop)))
    for number in range(5):
        shop.start("order", f"run-{number}")
    for number in range(5):
        shop.until_ended(f"run-{number}")

    read = [event["requestURI"] for event in list(requests(shop))[before:] if event["verb"] == "get"]
    assert not [uri for uri in read if "/leases/" not in uri]
