"""Definitions come, change and go while runs are under way: a run that started never notices, others wait."""

import pytest
from examples.order.services import Mode
from tests.controlplane import eventually
from tests.e2e.audit import history
from tests.e2e.sagas import Sagas, step, workflow
from tests.e2e.shop import Shop, condition

pytestmark = pytest.mark.e2e


@pytest.fixture
def halfway(shop: Shop, sagas: Sagas) -> Shop:
    """A run of `order` (a → b → c) whose second step is in flight."""
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    shop.behave("Payments.Charge", Mode.HOLD)
    shop.start("order")
    shop.until_called("run", "b")
    return shop


def called(shop: Shop, run: str = "run") -> list[str]:
    """The steps that were called for a run."""
    return [call.step for call in shop.calls(run)]


def test_a_run_that_is_deleted_just_goes(halfway: Shop) -> None:
    halfway.kube.delete("workflowexecutions", halfway.namespace, "run")
    eventually(lambda: halfway.kube.get("workflowexecutions", halfway.namespace, "run") is None, within=10, what="gone")
    halfway.works_again("Payments.Charge")

    halfway.start("order", "another")

    assert halfway.until_ended("another")["phase"] == "Success"
    assert called(halfway) == ["a", "b"]


def test_a_run_that_is_deleted_and_created_again_is_another(halfway: Shop) -> None:
    halfway.kube.delete("workflowexecutions", halfway.namespace, "run")
    halfway.works_again("Payments.Charge")
    halfway.start("order", "run")

    assert halfway.until_ended("run")["phase"] == "Success"
    assert called(halfway) == ["a", "b", "a", "b", "c"]
    assert len({call.key for call in halfway.calls("run")}) == 5


def test_a_workflow_that_is_edited_changes_no_run_that_started(halfway: Shop, sagas: Sagas) -> None:
    edited = sagas.chain("order", "Stock.Reserve", "Gifts.Wrap")
    halfway.kube.patch("workflows", halfway.namespace, "order", {"spec": edited["spec"]})
    halfway.until_ready("workflows", "order")
    halfway.works_again("Payments.Charge")
    halfway.start("order", "later")

    assert halfway.until_ended("run")["phase"] == "Success"
    assert halfway.until_ended("later")["phase"] == "Success"
    assert [call.method for call in halfway.calls("run")] == ["Stock.Reserve", "Payments.Charge", "Courier.Ship"]
    assert [call.method for call in halfway.calls("later")] == ["Stock.Reserve", "Gifts.Wrap"]
    assert halfway.status("run")["revision"] != halfway.status("later")["revision"]


def test_a_workflow_that_is_edited_while_the_operator_is_away_changes_none_either(halfway: Shop, sagas: Sagas) -> None:
    halfway.behave("Courier.Ship", Mode.DECLINE)
    halfway.operator.kill()
    edited = sagas.chain("order", "Gifts.Wrap")
    halfway.kube.patch("workflows", halfway.namespace, "order", {"spec": edited["spec"]})
    halfway.works_again("Payments.Charge")
    halfway.operator.start()

    assert halfway.until_ended("run")["compensation"]["phase"] == "Success"
    assert [call.step for call in halfway.calls("run", "undo")] == ["b", "a"]


def test_a_workflow_that_is_deleted_stops_no_run_that_started(halfway: Shop) -> None:
    halfway.kube.delete("workflows", halfway.namespace, "order")
    halfway.operator.crash()
    halfway.works_again("Payments.Charge")

    assert halfway.until_ended("run")["phase"] == "Success"
    halfway.start("order", "later")
    waiting = halfway.until("later", lambda status: status.get("reason") == "WorkflowNotFound", "no workflow")
    assert waiting["phase"] == "Pending"


def test_a_step_that_is_edited_changes_no_run_that_started(shop: Shop, sagas: Sagas) -> None:
    wait = sagas.step("wait", "Mail.Send")
    use = {"id": "use", "requires": ["wait"], "stepRef": {"name": "reserve"}}
    shop.define(step("reserve", endpoint=sagas.endpoint("Stock.Reserve")), workflow("order", wait, use))
    shop.behave("Mail.Send", Mode.HOLD)
    shop.start("order")
    shop.until_called("run", "wait")

    shop.kube.patch("steps", shop.namespace, "reserve", {"spec": {"endpoint": sagas.endpoint("Gifts.Wrap")}})
    shop.until_ready("steps", "reserve")
    shop.works_again("Mail.Send")

    assert shop.until_ended("run")["phase"] == "Success"
    assert [call.method for call in shop.calls("run")] == ["Mail.Send", "Stock.Reserve"]


def test_a_reference_may_dangle_and_the_run_starts_when_the_step_appears(shop: Shop, sagas: Sagas) -> None:
    shop.create(workflow("order", {"id": "a", "stepRef": {"name": "reserve"}}))
    told = shop.until_ready("workflows", "order", "False")
    assert condition(told, "Ready")["reason"] == "StepNotFound"
    shop.start("order")
    waiting = shop.until("run", lambda status: status.get("reason") == "StepNotFound", "waiting for the Step")
    assert condition(waiting, "Stalled")["status"] == "True"
    assert "reserve" in waiting["message"]

    shop.define(step("reserve", endpoint=sagas.endpoint("Stock.Reserve")))

    assert shop.until_ended("run")["phase"] == "Success"
    shop.until_ready("workflows", "order")


def test_a_run_whose_workflow_comes_later_starts_then(shop: Shop, sagas: Sagas) -> None:
    shop.start("order")
    waiting = shop.until("run", lambda status: status.get("reason") == "WorkflowNotFound", "no workflow")
    assert (waiting["phase"], condition(waiting, "Stalled")["status"]) == ("Pending", "True")

    shop.define(sagas.chain("order", "Stock.Reserve"))

    assert shop.until_ended("run")["phase"] == "Success"


def test_runs_that_come_together_with_their_workflows_all_start(shop: Shop, sagas: Sagas) -> None:
    """As GitOps applies them. A definition that comes while its run is being told to wait for it is not missed."""
    names = [f"order-{number}" for number in range(25)]
    for name in names:
        shop.start(name, name)
        shop.create(sagas.chain(name, "Stock.Reserve"))

    assert {shop.until_ended(name)["phase"] for name in names} == {"Success"}


def test_a_run_whose_revision_is_gone_calls_nothing(halfway: Shop) -> None:
    halfway.operator.kill()
    revision = halfway.status("run")["revision"]
    halfway.kube.delete("controllerrevisions", halfway.namespace, revision)
    halfway.works_again("Payments.Charge")
    halfway.operator.start()

    stalled = halfway.until("run", lambda status: status.get("reason") == "RevisionNotFound", "no revision")

    assert condition(stalled, "Stalled")["status"] == "True"
    assert called(halfway) == ["a", "b"]


def test_runs_share_the_revision_of_one_content(shop: Shop, sagas: Sagas) -> None:
    shop.define(sagas.chain("order", "Stock.Reserve"))
    for name in ("one", "two", "three"):
        shop.start("order", name)
    revisions = {shop.until_ended(name)["revision"] for name in ("one", "two", "three")}

    (stored,) = shop.kube.list("controllerrevisions", shop.namespace)
    assert revisions == {stored["metadata"]["name"]}
    assert stored["metadata"]["labels"] == {"flow.unistack.org/workflow": "order"}
    assert "ownerReferences" not in stored["metadata"]
    assert history(shop, "one").writes[0].status["revision"] == stored["metadata"]["name"]


def test_a_namespace_that_is_deleted_with_a_run_in_it(halfway: Shop) -> None:
    halfway.start("order", "another")
    halfway.until_called("another", "b")
    halfway.bear_refusals()  # of leases: its own namespace is among those that take nothing new, and its Role goes too
    halfway.kube.delete("namespaces", "", halfway.namespace)
    halfway.works_again("Payments.Charge")

    eventually(
        lambda: not halfway.kube.list("workflowexecutions", halfway.namespace), within=90, what="the namespace empty"
    )
