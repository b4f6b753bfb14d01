"""A backup of etcd is put back: what docs/backup.md says about the runs that went on after it was taken.

Time goes back for the API server and not for the services, so the history checker has no say here: the journals have.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.order.services import Did, Mode, OrderServices
from tests.controlplane import ControlPlane
from tests.controlplane.process import Tether
from tests.e2e.kube import Kube
from tests.e2e.replicas import LONG_LEASE
from tests.e2e.role import install
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("own_control_planes")]


@pytest.fixture
def shop(services: OrderServices, tether: Tether, tmp_path: Path, sagas: Sagas) -> Iterator[Shop]:
    """A shop on a control plane of its own: two runs of three steps, the second call of both in flight."""
    with ControlPlane() as control_plane, Kube(control_plane.kubeconfig) as kube:
        namespace = control_plane.create_namespace("restored")
        account = install(kube, namespace)
        shop = Shop(control_plane, kube, namespace, services, account, tmp_path, tether.group)
        try:
            shop.hire(**LONG_LEASE)  # it outlasts the time without etcd
            shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
            shop.behave("Payments.Charge", Mode.HOLD)
            for run in ("went-on", "was-undone"):
                shop.start("order", run)
                shop.until_called(run, "b")
            yield shop
        finally:
            shop.close()


def back_up(control_plane: ControlPlane, backup: Path) -> None:
    """Copy the data of etcd, which stands still meanwhile."""
    control_plane.etcd.stop()
    shutil.copytree(control_plane.directory / "etcd", backup)
    control_plane.etcd.start()
    control_plane.wait_ready()


def put_back(control_plane: ControlPlane, backup: Path) -> None:
    """Replace the data of etcd; nobody holds on to what is not true any more."""
    control_plane.apiserver.stop()
    control_plane.etcd.stop()
    shutil.rmtree(control_plane.directory / "etcd")
    shutil.copytree(backup, control_plane.directory / "etcd")
    control_plane.etcd.start()
    control_plane.apiserver.start()
    control_plane.wait_ready()


def did(shop: Shop, run: str, step: str, operation: str = "do") -> list[Did]:
    """What the calls of a step did."""
    return [call.did for call in shop.calls(run, operation) if call.step == step]


def test_runs_repeat_what_the_backup_does_not_know_under_the_same_keys(shop: Shop, tmp_path: Path) -> None:
    control_plane = shop.cluster
    assert isinstance(control_plane, ControlPlane)
    shop.bear_refusals()
    back_up(control_plane, tmp_path / "backup")
    shop.obey("was-undone", "abort")
    shop.works_again("Payments.Charge")
    assert shop.until_ended("went-on")["phase"] == "Success"
    assert shop.until_ended("was-undone")["phase"] == "Aborted"
    shop.start("order", "came-later")
    shop.until_ended("came-later")

    shop.operator.stop()
    put_back(control_plane, tmp_path / "backup")
    shop.operator.start()

    assert shop.until_ended("went-on")["phase"] == "Success"
    assert [did(shop, "went-on", step) for step in "abc"] == [
        [Did.APPLIED],
        [Did.APPLIED, Did.REPLAYED],
        [Did.APPLIED, Did.REPLAYED],
    ]
    ended = shop.until_ended("was-undone")
    assert (ended["phase"], ended["compensation"]["phase"]) == ("Failure", "Success")
    for step in "ab":
        assert did(shop, "was-undone", step).count(Did.APPLIED) == 1
        assert did(shop, "was-undone", step, "undo").count(Did.APPLIED) == 1
    assert did(shop, "was-undone", "c") == []
    assert shop.kube.get("workflowexecutions", shop.namespace, "came-later") is None
    assert [did(shop, "came-later", step) for step in "abc"] == [[Did.APPLIED]] * 3
