"""The operator as the chart runs it: as a process with the environment, the command and the ServiceAccount of a pod."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from examples.order.demo.operator_process import OperatorProcess
from examples.order.services import OrderServices
from tests.controlplane import eventually
from tests.e2e.kube import Kube
from tests.e2e.sagas import Sagas, run_of
from tests.helm.chart import NAMESPACE, RELEASE, HelmError
from tests.helm.release import WAIT, Helm, Installed, environment
from tests.helm.world import World

pytestmark = pytest.mark.e2e

ORDER = Path(__file__).with_name("order")
USER = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
LOCAL = {"serviceUrl": "http://127.0.0.1:{port}/{method}", "egressAllow": ["127.0.0.1"]}


@pytest.fixture
def services(tmp_path: Path) -> Iterator[OrderServices]:
    """The services that workflows call."""
    (tmp_path / "journals").mkdir()
    with OrderServices(tmp_path / "journals") as opened:
        yield opened


@pytest.fixture
def start(world: World, tmp_path: Path) -> Iterator[Callable[[], OperatorProcess]]:
    """Starts the operator as the first pod of the release would."""
    running: list[OperatorProcess] = []

    def begin() -> OperatorProcess:
        plane = world.control_plane
        pod = Installed(plane).pods()[0]
        (container,) = pod["spec"]["containers"]
        assert [*container["command"], *container.get("args", [])] == ["flow-operator"]
        token = plane.service_account_token(NAMESPACE, pod["spec"]["serviceAccountName"])
        operator = OperatorProcess(plane.kubeconfig_for(token), tmp_path / "operator.log", environment(pod))
        running.append(operator)
        operator.start()
        return operator

    yield begin
    for operator in running:
        operator.kill()


@pytest.mark.parametrize("namespaces", [[], ["shop"]], ids=["the whole cluster", "one namespace"])
def test_a_saga_runs_with_the_rights_and_settings_of_the_chart(
    world: World, kube: Kube, helm: Helm, services: OrderServices, start: Callable[[], object], namespaces: list[str]
) -> None:
    world.control_plane.kubectl("create", "namespace", "shop")
    helm.install(*WAIT, values={"settings": LOCAL | {"namespaces": namespaces}})
    start()

    kube.create(Sagas(services.ports).chain("order", "Stock.Reserve", "Courier.Ship"), "shop")
    kube.create(run_of("order", "run"), "shop")

    eventually(lambda: phase(kube, "run") == "Success", within=30, what="the run's Success")
    about = [event for event in world.control_plane.audit_events() if event["user"].get("username") == USER]
    assert about
    assert not [e for e in about if e.get("responseStatus", {}).get("code") == HTTPStatus.FORBIDDEN]


def phase(kube: Kube, run: str) -> str:
    found = kube.get("workflowexecutions", "shop", run)
    return str(found and found["status"]["phase"])


def test_wait_waits_for_the_operator_to_judge_a_workflow(helm: Helm, start: Callable[[], object]) -> None:
    helm.install(*WAIT, values={"settings": LOCAL})
    with pytest.raises(HelmError, match="not ready"):
        helm.install("--wait", "--timeout", "3s", chart=ORDER, name="unjudged")
    helm.uninstall("unjudged")

    start()
    helm.install(*WAIT, chart=ORDER, name="good")
    helm.uninstall("good")

    with pytest.raises(HelmError, match=r"Failed|not ready"):
        helm.install("--wait", "--timeout", "10s", chart=ORDER, name="bad", values={"requires": ["nobody"]})
