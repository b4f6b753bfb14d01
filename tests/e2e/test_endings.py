"""How a saga can end when a person decides: aborted with and without undo, parked undos skipped or given up."""

import pytest
from examples.order.services import Did, Mode
from tests.e2e.sagas import Sagas, workflow
from tests.e2e.shop import Shop, condition

pytestmark = pytest.mark.e2e


@pytest.fixture
def shipping(shop: Shop, sagas: Sagas) -> Shop:
    """A run that has reserved and charged, and whose courier does not answer."""
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    shop.behave("Courier.Ship", Mode.HOLD)
    shop.start("order")
    shop.until_called("run", "c")
    return shop


@pytest.fixture
def parked(shop: Shop, sagas: Sagas) -> Shop:
    """A run that was declined at the third step, and whose second cannot be undone."""
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    shop.behave("Courier.Ship", Mode.DECLINE)
    shop.behave("Payments.Refund", Mode.UNAVAILABLE)
    shop.start("order")
    shop.until_phase("run", "Suspend")
    return shop


def undone(shop: Shop) -> list[tuple[str, Did]]:
    """Steps that services were asked to undo, and what they did."""
    return [(call.step, call.did) for call in shop.calls("run", "undo")]


def test_abort_waits_for_what_is_in_flight_and_undoes_all(shipping: Shop) -> None:
    answer = shipping.obey("run", "abort", {"reason": "the customer is gone"})
    assert answer["result"] == "Accepted"
    assert shipping.status("run")["compensation"]["phase"] == "Pending"

    shipping.works_again("Courier.Ship")
    status = shipping.until_ended("run")

    assert (status["phase"], status["compensation"]["phase"]) == ("Aborted", "Success")
    assert undone(shipping) == [("c", Did.APPLIED), ("b", Did.APPLIED), ("a", Did.APPLIED)]
    assert "the customer is gone" in status["message"]


def test_abort_without_compensation_leaves_what_was_done(shipping: Shop) -> None:
    answer = shipping.obey("run", "abort", {"compensate": False})
    shipping.works_again("Courier.Ship")
    status = shipping.until_ended("run")

    assert (status["phase"], status["compensation"]["phase"]) == ("Aborted", "NotNeeded")
    assert undone(shipping) == []
    assert "left applied: a, b" in answer["message"]


def test_abort_undoes_under_mode_none_when_it_says_so(shop: Shop, sagas: Sagas) -> None:
    chain = sagas.chain("order", "Stock.Reserve", "Courier.Ship", compensation={"mode": "None"})
    shop.define(chain)
    shop.behave("Courier.Ship", Mode.HOLD)
    shop.start("order")
    shop.until_called("run", "b")

    shop.obey("run", "abort", {"compensate": True})
    shop.works_again("Courier.Ship")

    assert shop.until_ended("run")["compensation"]["phase"] == "Success"
    assert undone(shop) == [("b", Did.APPLIED), ("a", Did.APPLIED)]


def test_a_parked_undo_needs_a_person(parked: Shop) -> None:
    status = parked.status("run")

    assert (status["phase"], status["compensation"]["phase"]) == ("Suspend", "Suspend")
    assert condition(status, "Stalled")["status"] == "True"
    assert condition(status, "CompensationFailed")["message"].startswith("not undone: b")
    assert undone(parked) == [("b", Did.FAILED), ("b", Did.FAILED)]
    parked.works_again("Payments.Refund")


def test_retry_undoes_it_under_the_same_key(parked: Shop) -> None:
    parked.works_again("Payments.Refund")
    parked.obey("run", "retry")

    status = parked.until_ended("run")

    assert (status["phase"], status["compensation"]["phase"]) == ("Failure", "Success")
    assert undone(parked) == [("b", Did.FAILED), ("b", Did.FAILED), ("b", Did.APPLIED), ("a", Did.APPLIED)]
    assert len({call.key for call in parked.calls("run", "undo")}) == 2


def test_skip_says_that_a_person_did_it_by_hand(parked: Shop) -> None:
    parked.obey("run", "skip", {"step": "b", "reason": "refunded at the counter"})

    status = parked.until_ended("run")

    assert (status["phase"], status["compensation"]["phase"]) == ("Failure", "Success")
    assert undone(parked)[-1] == ("a", Did.APPLIED)
    assert parked.step("run", "b")["compensation"]["reason"] == "SkippedByCommand"


def test_abort_without_compensation_gives_up_a_parked_undo(parked: Shop) -> None:
    answer = parked.obey("run", "abort", {"compensate": False})

    status = parked.until_ended("run")

    assert (status["phase"], status["compensation"]["phase"]) == ("Failure", "Failure")
    assert "left applied: a, b" in answer["message"]
    assert [call.step for call in parked.calls("run", "undo")] == ["b", "b"]


def test_a_step_that_may_have_had_an_effect_is_undone_before_its_fallback(shop: Shop, sagas: Sagas) -> None:
    shop.define(
        workflow(
            "order",
            sagas.step("ship", "Courier.Ship", fallback="post"),
            sagas.step("post", "Post.Send"),
            sagas.step("mail", "Mail.Send", "ship"),
        )
    )
    shop.behave("Courier.Ship", Mode.LOSE)
    shop.start("order")

    assert shop.until_ended("run")["phase"] == "Success"
    did = [(call.operation, call.step, call.did) for call in shop.calls("run")]
    assert did == [
        ("do", "ship", Did.APPLIED),
        ("do", "ship", Did.REPLAYED),
        ("undo", "ship", Did.APPLIED),
        ("do", "post", Did.APPLIED),
        ("do", "mail", Did.APPLIED),
    ]


def test_the_time_of_the_run_passes(shop: Shop, sagas: Sagas) -> None:
    """What is in flight is cut; since it may have had its effect, it is undone as well."""
    chain = sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship", timeout={"run": "5s"})
    shop.define(chain)
    shop.behave("Payments.Charge", Mode.HOLD)
    shop.start("order")
    shop.until_called("run", "b")

    status = shop.until_ended("run")

    assert (status["phase"], status["reason"], status["compensation"]["phase"]) == ("Failure", "RunTimeout", "Success")
    assert shop.step("run", "b")["effect"] == "Unknown"
    assert undone(shop) == [("b", Did.APPLIED), ("a", Did.APPLIED)]


def test_the_time_of_a_step_passes(shop: Shop, sagas: Sagas) -> None:
    step = sagas.step("a", "Stock.Reserve", timeout={"total": "1s"}, retry={"limit": -1, "backoff": {"duration": "1h"}})
    shop.define(workflow("order", step))
    shop.behave("Stock.Reserve", Mode.LOSE)
    shop.start("order")

    status = shop.until_ended("run")

    assert (status["phase"], status["reason"], status["compensation"]["phase"]) == ("Failure", "StepTimeout", "Success")
    assert undone(shop) == [("a", Did.APPLIED)]
