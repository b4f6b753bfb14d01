"""A run is held by its spec or by a command, and goes on when that is lifted."""

import pytest
from examples.order.services import Mode
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop, condition

pytestmark = pytest.mark.e2e


@pytest.fixture
def order(shop: Shop, sagas: Sagas) -> Shop:
    """A shop with a saga of three steps in a row."""
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    return shop


def suspend_spec(shop: Shop, value: bool) -> None:
    """Set `spec.suspend` of the run."""
    shop.kube.patch("workflowexecutions", shop.namespace, "run", {"spec": {"suspend": value}})


def suspended(shop: Shop) -> tuple[str, str]:
    """Status and reason of the condition Suspended."""
    found = condition(shop.status("run"), "Suspended")
    return found["status"], found["reason"]


def test_created_suspended_nothing_is_called_and_the_definition_is_pinned_on_resume(order: Shop, sagas: Sagas) -> None:
    order.start("order", suspend=True)
    status = order.until_phase("run", "Suspend")
    assert suspended(order) == ("True", "SuspendedBySpec")
    assert "revision" not in status
    edited = sagas.chain("order", "Gifts.Wrap")
    order.kube.patch("workflows", order.namespace, "order", {"spec": edited["spec"]})
    order.until_ready("workflows", "order")
    assert order.calls("run") == []

    suspend_spec(order, False)

    assert order.until_ended("run")["phase"] == "Success"
    assert [call.method for call in order.calls("run")] == ["Gifts.Wrap"]


def test_resume_by_command_is_rejected_while_the_spec_says_suspend(order: Shop) -> None:
    order.start("order", suspend=True)
    order.until_phase("run", "Suspend")

    answer = order.obey("run", "resume")

    assert answer["result"] == "Rejected"
    assert "spec.suspend" in answer["message"]
    assert order.status("run")["phase"] == "Suspend"


def test_the_spec_lifts_only_itself(order: Shop) -> None:
    order.behave("Payments.Charge", Mode.HOLD)
    order.start("order")
    order.until_called("run", "b")
    order.obey("run", "suspend")

    suspend_spec(order, True)
    suspend_spec(order, False)
    order.until("run", lambda status: status["observedGeneration"] == 3, "the spec seen")

    assert suspended(order) == ("True", "SuspendedByCommand")
    order.works_again("Payments.Charge")
    order.until_step("run", "b", lambda step: step["phase"] == "Success", "stored while suspended")
    assert [call.step for call in order.calls("run")] == ["a", "b"]
    order.obey("run", "resume")
    assert order.until_ended("run")["phase"] == "Success"
    assert suspended(order) == ("False", "NotSuspended")


def test_set_and_lifted_in_the_middle(order: Shop) -> None:
    order.behave("Payments.Charge", Mode.HOLD)
    order.start("order")
    order.until_called("run", "b")

    suspend_spec(order, True)
    order.until_phase("run", "Suspend")
    order.works_again("Payments.Charge")
    order.until_step("run", "b", lambda step: step["phase"] == "Success", "stored while suspended")
    assert [call.step for call in order.calls("run")] == ["a", "b"]

    suspend_spec(order, False)
    assert order.until_ended("run")["phase"] == "Success"


def test_an_undo_is_held_as_well(order: Shop) -> None:
    order.behave("Courier.Ship", Mode.DECLINE)
    order.behave("Payments.Refund", Mode.HOLD)
    order.start("order")
    order.until_called("run", "b", "undo")

    order.obey("run", "suspend")
    order.works_again("Payments.Refund")
    order.until_step("run", "b", lambda step: step["compensation"]["phase"] == "Success", "undone while suspended")
    assert order.status("run")["phase"] == "Suspend"
    assert [call.step for call in order.calls("run", "undo")] == ["b"]

    order.obey("run", "resume")
    status = order.until_ended("run")
    assert (status["phase"], status["compensation"]["phase"]) == ("Failure", "Success")


def test_a_suspended_run_can_be_aborted(order: Shop) -> None:
    order.behave("Payments.Charge", Mode.HOLD)
    order.start("order")
    order.until_called("run", "b")
    order.obey("run", "suspend")
    order.works_again("Payments.Charge")

    order.obey("run", "abort")

    status = order.until_ended("run")
    assert (status["phase"], status["compensation"]["phase"]) == ("Aborted", "Success")


def test_aborted_before_anything_was_called(order: Shop) -> None:
    order.start("order", suspend=True)
    order.until_phase("run", "Suspend")

    order.obey("run", "abort")

    status = order.until_ended("run")
    assert (status["phase"], status["compensation"]["phase"]) == ("Aborted", "NotNeeded")
    assert order.calls("run") == []
