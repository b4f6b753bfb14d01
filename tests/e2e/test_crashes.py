"""The operator dies (SIGKILL) in every phase of a run, starts again, and the run ends as if nothing had happened."""

import signal
from datetime import datetime
from functools import partial

import pytest
from examples.order.services import Did, Mode
from tests.controlplane import ControlPlane
from tests.e2e.audit import history
from tests.e2e.kube import Object
from tests.e2e.sagas import Sagas, workflow
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

LONG = {"duration": "6s", "jitter": 0.0}
"""A back-off that is not over before the operator is back."""

ANSWERED = 'flow_attempts_total{direction="do",step="a",verdict="Success",workflow="order"} 1.0'


def did(shop: Shop, step: str, operation: str = "do") -> list[Did]:
    """What the calls of a step did at its service."""
    return [call.did for call in shop.calls("run", operation) if call.step == step]


@pytest.fixture
def order(shop: Shop, sagas: Sagas) -> Shop:
    """A shop with a saga of three steps in a row, each with an undo."""
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    return shop


@pytest.mark.fault("the operator dies while a run waits for its Workflow", "The run starts when both are there")
def test_pending(shop: Shop, sagas: Sagas) -> None:
    shop.start("order")
    shop.until("run", lambda status: status.get("reason") == "WorkflowNotFound", "the run waiting for its workflow")
    shop.operator.kill()
    shop.create(sagas.chain("order", "Stock.Reserve"))

    shop.operator.start()

    assert shop.until_ended("run")["phase"] == "Success"


@pytest.mark.fault("a run is created while the operator is away", "It is found at the start")
def test_not_yet_seen(order: Shop) -> None:
    order.operator.kill()
    order.start("order")

    order.operator.start()

    assert order.until_ended("run")["phase"] == "Success"


@pytest.mark.fault(
    "the operator dies while a call is in flight",
    "The call is repeated under the same number and key; the service does its work once",
)
def test_a_step_in_flight(order: Shop) -> None:
    order.behave("Payments.Charge", Mode.HOLD)
    order.start("order")
    order.until_called("run", "b")
    order.operator.kill()
    order.works_again("Payments.Charge")

    order.operator.start()

    assert order.until_ended("run")["phase"] == "Success"
    assert did(order, "b") == [Did.APPLIED, Did.REPLAYED]
    assert [call.attempt for call in order.calls("run") if call.step == "b"] == [1, 1]
    assert [each["reason"] for each in order.step("run", "b")["attemptLog"][:1]] == ["AttemptLost"]


@pytest.mark.fault(
    "the operator dies while a step backs off",
    "The step is tried again at the time that was stored, not earlier",
)
def test_backing_off(shop: Shop, sagas: Sagas) -> None:
    step = sagas.step("a", "Stock.Reserve", retry={"limit": 1, "backoff": LONG})
    shop.define(workflow("order", step))
    shop.behave("Stock.Reserve", Mode.UNAVAILABLE, times=1)
    shop.start("order")
    due = shop.until_step("run", "a", lambda step: "nextAttemptTime" in step, "backing off")["nextAttemptTime"]
    shop.operator.crash()

    assert shop.step("run", "a").get("nextAttemptTime") in (due, None)  # None: the new operator was slow to come up
    assert shop.until_ended("run")["phase"] == "Success"
    assert did(shop, "a") == [Did.FAILED, Did.APPLIED]
    first, second = (datetime.fromisoformat(call.time) for call in shop.calls("run"))
    assert first < datetime.fromisoformat(due) <= second


@pytest.mark.fault(
    "the operator dies with an answer that it could not store",
    "The call is repeated under its key, and the service gives its answer again; nothing later was called before",
)
def test_between_levels(order: Shop, control_plane: ControlPlane) -> None:
    """The answer of a level is written to an API server that hangs; the operator dies before it knows the outcome."""
    order.behave("Stock.Reserve", Mode.HOLD)
    order.start("order")
    order.until_called("run", "a")
    control_plane.apiserver.send(signal.SIGSTOP)
    try:
        order.works_again("Stock.Reserve")
        order.operator.until_metric(
            'flow_attempts_total{direction="do",step="a",verdict="Success",workflow="order"} 1.0'
        )
        order.operator.kill()
    finally:
        control_plane.apiserver.send(signal.SIGCONT)
    control_plane.wait_ready()

    order.operator.start()

    assert order.until_ended("run")["phase"] == "Success"
    assert did(order, "a") in ([Did.APPLIED], [Did.APPLIED, Did.REPLAYED])
    assert did(order, "b") == [Did.APPLIED]


@pytest.mark.fault("the operator dies while an undo is in flight", "The undo is repeated under its key; it undoes once")
def test_compensation_in_flight(order: Shop) -> None:
    order.behave("Courier.Ship", Mode.DECLINE)
    order.behave("Payments.Refund", Mode.HOLD)
    order.start("order")
    order.until_called("run", "b", "undo")
    order.operator.kill()
    order.works_again("Payments.Refund")

    order.operator.start()

    status = order.until_ended("run")
    assert (status["phase"], status["compensation"]["phase"]) == ("Failure", "Success")
    assert did(order, "b", "undo") == [Did.APPLIED, Did.REPLAYED]
    assert did(order, "a", "undo") == [Did.APPLIED]


@pytest.mark.fault(
    "the operator dies while a run that was aborted has a call in flight",
    "The call is not repeated: its effect stays Unknown, and it is undone",
)
def test_aborted_with_a_call_in_flight(order: Shop) -> None:
    """The attempt that was lost is not repeated any more: its effect stays Unknown, and the undo covers it."""
    order.behave("Payments.Charge", Mode.HOLD)
    order.start("order")
    order.until_called("run", "b")
    order.obey("run", "abort")
    order.operator.kill()
    order.works_again("Payments.Charge")

    order.operator.start()

    status = order.until_ended("run")
    assert (status["phase"], status["compensation"]["phase"]) == ("Aborted", "Success")
    assert order.step("run", "b")["effect"] == "Unknown"
    assert did(order, "b") == [Did.APPLIED]
    assert [(call.step, call.did) for call in order.calls("run", "undo")] == [("b", Did.APPLIED), ("a", Did.APPLIED)]


@pytest.mark.fault(
    "the operator dies while an undo is parked",
    "It stays parked, and nothing is called, until a person says retry",
)
def test_parked(order: Shop) -> None:
    order.behave("Courier.Ship", Mode.DECLINE)
    order.behave("Payments.Refund", Mode.UNAVAILABLE)
    order.start("order")
    order.until_phase("run", "Suspend")
    calls = len(order.calls("run"))
    order.operator.crash()

    order.start("order", "another")
    order.until_phase("another", "Suspend")
    assert len(order.calls("run")) == calls, "a parked undo was called again without anybody asking for it"

    order.works_again("Payments.Refund")
    order.obey("run", "retry")
    order.obey("another", "retry")
    assert order.until_ended("run")["compensation"]["phase"] == "Success"
    order.until_ended("another")


@pytest.mark.fault(
    "the operator dies while a run that was suspended has a call in flight",
    "Nothing is repeated before the run is resumed",
)
def test_suspended_with_a_call_in_flight(order: Shop) -> None:
    """Nothing is repeated before the run is resumed."""
    order.behave("Payments.Charge", Mode.HOLD)
    order.start("order")
    order.until_called("run", "b")
    order.obey("run", "suspend")
    order.operator.kill()
    order.works_again("Payments.Charge")
    order.operator.start()
    order.start("order", "another")
    order.until_ended("another")
    assert did(order, "b") == [Did.APPLIED]

    order.obey("run", "resume")

    assert order.until_ended("run")["phase"] == "Success"
    assert did(order, "b") == [Did.APPLIED, Did.REPLAYED]


@pytest.mark.fault("the operator dies when a run has ended", "Nothing is called or written")
def test_after_the_end(order: Shop) -> None:
    for run in ("run", "barrier"):  # what is read before it is in the audit log is there after the next
        order.start("order", run)
        order.until_ended(run)
    calls, written = len(order.calls("run")), len(history(order, "run").writes)

    order.operator.crash()
    order.start("order", "another")
    order.until_ended("another")

    assert (len(order.calls("run")), len(history(order, "run").writes)) == (calls, written)


@pytest.mark.fault(
    "the operator dies three times while 40 runs start, succeed and fail",
    "Each run ends as its services answered, nothing is done twice",
)
def test_with_many_runs_under_way(order: Shop) -> None:
    """Some succeed and some are declined; the operator dies three times in the middle of it all."""
    order.behave("Courier.Ship", Mode.DECLINE, times=10)
    names = [f"run-{number}" for number in range(40)]
    for number, name in enumerate(names):
        order.start("order", name)
        if number % 13 == 12:
            order.operator.crash()

    failed = {name for name in names if order.until_ended(name)["phase"] == "Failure"}

    assert failed == {name for name in names if Did.DECLINED in {call.did for call in order.calls(name)}}
    assert 0 < len(failed) <= 10


def is_further(before: Object, status: Object) -> bool:
    """Whether anything has another phase than before."""
    return phases(status) != phases(before)


def phases(status: Object) -> list[object]:
    """The phases of a run, its steps, and their undos."""
    steps = [(step["phase"], step.get("compensation", {}).get("phase")) for step in status.get("steps", ())]
    return [status["phase"], status.get("completionTime"), *steps]


@pytest.mark.fault("the operator dies whenever a run has got any further", "The run gets to its end, undone")
def test_again_and_again(order: Shop) -> None:
    """The operator dies as soon as anything has got any further, until the run has ended."""
    order.behave("Courier.Ship", Mode.DECLINE)
    order.behave("Payments.Charge", Mode.HOLD)
    order.start("order")
    order.until_called("run", "b")
    order.operator.kill()
    order.works_again("Payments.Charge")
    deaths = 1
    while "completionTime" not in (before := order.status("run")):
        order.operator.start()
        order.until("run", partial(is_further, before), "any further")
        order.operator.kill()
        deaths += 1

    assert deaths >= 2
    status = order.status("run")
    assert (status["phase"], status["compensation"]["phase"]) == ("Failure", "Success")
