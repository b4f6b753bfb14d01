"""The API server is restarted or dies while runs are under way; they go on, and nothing is lost or done twice."""

import pytest
from examples.order.services import Did, Mode
from tests.controlplane import ControlPlane
from tests.e2e.replicas import LONG_LEASE
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

RUNS = [f"run-{number}" for number in range(5)]


@pytest.fixture
def busy(bare_shop: Shop, sagas: Sagas) -> Shop:
    """Five runs of three steps whose second call is in flight, and a lease that outlasts a slow start of the servers.

    An API server that has just started refuses everybody, until it has read the roles: the operator has to bear it.
    """
    shop = bare_shop
    shop.hire(**LONG_LEASE)
    shop.bear_refusals()
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    shop.behave("Payments.Charge", Mode.HOLD)
    for name in RUNS:
        shop.start("order", name)
    for name in RUNS:
        shop.until_called(name, "b")
    return shop


def did(shop: Shop, run: str, step: str) -> list[Did]:
    """What the calls of a step did."""
    return [call.did for call in shop.calls(run) if call.step == step]


@pytest.mark.fault(
    "the API server is away when answers come",
    "They are kept, and stored when it is back; nothing is called twice",
)
@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "killed"])
def test_answers_that_come_while_it_is_away_are_stored_when_it_is_back(
    busy: Shop, control_plane: ControlPlane, crash: bool
) -> None:
    if crash:
        control_plane.apiserver.kill()
    else:
        control_plane.apiserver.stop()
    busy.works_again("Payments.Charge")
    control_plane.apiserver.start()
    control_plane.wait_ready()

    for name in RUNS:
        assert busy.until_ended(name)["phase"] == "Success"
        assert did(busy, name, "b") == [Did.APPLIED]


@pytest.mark.fault(
    "the API server is killed in the middle of writes",
    "Whether they were stored is read when it is back; no attempt is sent twice",
)
def test_killed_in_the_middle_of_writes(busy: Shop, control_plane: ControlPlane) -> None:
    """Whether the last writes were stored nobody knows; the operator finds out, and no attempt is sent twice."""
    busy.works_again("Payments.Charge")
    control_plane.restart_apiserver(crash=True)

    for name in RUNS:
        assert busy.until_ended(name)["phase"] == "Success"
        assert [did(busy, name, step) for step in "abc"] == [[Did.APPLIED]] * 3


@pytest.mark.fault(
    "the API server and the operator die together",
    "What was in flight is repeated under its key; the runs are undone",
)
def test_both_die(busy: Shop, control_plane: ControlPlane) -> None:
    busy.behave("Courier.Ship", Mode.DECLINE)
    control_plane.apiserver.kill()
    busy.operator.kill()
    busy.works_again("Payments.Charge")
    control_plane.apiserver.start()
    control_plane.wait_ready()

    busy.operator.start()

    for name in RUNS:
        status = busy.until_ended(name)
        assert (status["phase"], status["compensation"]["phase"]) == ("Failure", "Success")
        assert did(busy, name, "b") == [Did.APPLIED, Did.REPLAYED, Did.APPLIED]


@pytest.mark.fault(
    "etcd is killed when answers come",
    "They are kept, and stored when it is back; nothing is called twice",
)
def test_etcd_dies(busy: Shop, control_plane: ControlPlane) -> None:
    control_plane.etcd.kill()
    busy.works_again("Payments.Charge")
    control_plane.etcd.start()
    control_plane.wait_ready()

    for name in RUNS:
        assert busy.until_ended(name)["phase"] == "Success"
        assert did(busy, name, "b") == [Did.APPLIED]
