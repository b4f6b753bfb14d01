"""A release on the real control plane: installed, upgraded, rolled back, uninstalled, by Helm 3 and Helm 4."""

import json
import signal
from pathlib import Path

import pytest
import yaml
from tests.controlplane import eventually
from tests.e2e.kube import Kube
from tests.e2e.sagas import run_of
from tests.helm.chart import CHART, RELEASE, HelmError
from tests.helm.release import WAIT, Helm, Installed, first_chart
from tests.helm.world import World

pytestmark = pytest.mark.e2e

REPLICAS = 2


@pytest.fixture
def installed(world: World) -> Installed:
    """What there is in the cluster."""
    return Installed(world.control_plane)


@pytest.mark.parametrize("major", [3, 4])
def test_a_release_is_upgraded_and_rolled_back_and_runs_survive_it(
    world: World, kube: Kube, installed: Installed, tmp_path: Path, major: int
) -> None:
    helm = Helm(world.control_plane, tmp_path, major)

    helm.install(*WAIT, chart=first_chart(tmp_path / "first"))
    installed.until_available(REPLICAS)
    kube.create(run_of("order", "run"), "default")

    helm.upgrade("--reset-then-reuse-values", *WAIT)
    assert_crds_are_current(installed)
    installed.until_available(REPLICAS)

    helm.upgrade(*WAIT, values={"replicas": 1})
    installed.until_available(1)
    helm.rollback(2)
    installed.until_available(REPLICAS)
    assert_crds_are_current(installed)
    helm.rollback(1)
    installed.until_available(REPLICAS)

    helm.uninstall()
    assert installed.names("deployments,roles,rolebindings,services,poddisruptionbudgets") == set()
    assert not any(RELEASE in name for name in installed.names("clusterroles,clusterrolebindings"))
    assert not installed.names("validatingadmissionpolicies,validatingadmissionpolicybindings")
    assert set(installed.crds()) == {"steps", "workflows", "workflowexecutions"}
    assert kube.get("workflowexecutions", "default", "run") is not None

    helm.install(*WAIT)
    assert kube.get("workflowexecutions", "default", "run") is not None


def assert_crds_are_current(installed: Installed) -> None:
    """The cluster has the schemas that the chart has."""
    for path in (CHART / "files" / "crds").glob("*.yaml"):
        wanted = yaml.safe_load(path.read_text())
        present = installed.crds()[wanted["spec"]["names"]["plural"]]
        assert present["spec"]["versions"][0]["schema"] == wanted["spec"]["versions"][0]["schema"]


def test_wait_waits_for_the_pods(world: World, helm: Helm, installed: Installed) -> None:
    world.kwok.send(signal.SIGSTOP)
    with pytest.raises(HelmError, match=r"not ready|deadline|InProgress"):
        helm.install("--wait", "--timeout", "3s")
    assert installed.deployment()["status"].get("availableReplicas", 0) == 0

    world.kwok.send(signal.SIGCONT)
    helm.upgrade(*WAIT)
    installed.until_available(REPLICAS)


def test_replicas_are_spread_over_the_nodes(helm: Helm, installed: Installed) -> None:
    helm.install(*WAIT)

    assert len({pod["spec"]["nodeName"] for pod in installed.pods()}) == REPLICAS


def test_crds_that_were_applied_by_hand_are_taken_over_when_asked_to(
    world: World, helm: Helm, installed: Installed
) -> None:
    world.control_plane.install_crds(CHART / "files" / "crds")
    with pytest.raises(HelmError, match="ownership"):
        helm.install()

    helm.install("--take-ownership", *WAIT)

    assert all(crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for crd in installed.crds().values())


def test_users_get_rights_with_the_roles_that_a_cluster_has(world: World, helm: Helm) -> None:
    helm.install(*WAIT)
    kubectl = world.control_plane.kubectl
    for role in ("view", "edit", "admin"):
        kubectl("create", "rolebinding", role, f"--clusterrole={role}", f"--user={role}", "--namespace=default")

    def can(user: str, verb: str, resource: str) -> bool:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": user,
                "resourceAttributes": {
                    "namespace": "default",
                    "group": "flow.unistack.org",
                    "verb": verb,
                    "resource": resource,
                },
            },
        }
        answer = kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review))
        return bool(json.loads(answer)["status"]["allowed"])

    eventually(lambda: can("edit", "patch", "workflowexecutions"), within=20, what="the roles aggregated")
    eventually(lambda: can("admin", "delete", "workflows"), within=20, what="the roles aggregated")
    eventually(lambda: can("view", "list", "steps"), within=20, what="the roles aggregated")
    assert not can("view", "create", "workflowexecutions")
    assert not [
        (role, verb, plural)
        for role in ("view", "edit", "admin")
        for verb in ("update", "patch")
        for plural in ("steps", "workflows", "workflowexecutions")
        if can(role, verb, f"{plural}/status")
    ]
    assert not can("stranger", "get", "workflowexecutions")
