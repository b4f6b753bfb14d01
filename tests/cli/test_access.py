"""The way to the cluster: kubectl's options, and one line for whatever is in the way."""

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest
from tests.cli.operator import Operator
from tests.cli.person import Person
from tests.controlplane import Cluster, ControlPlane
from tests.controlplane.binaries import find_kubectl

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_the_namespace_is_that_of_the_context(cluster: Cluster, operator: Operator, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(cluster.kubeconfig.read_text())
    flow = ("config", "set-context", "--current", "--namespace", operator.namespace)
    cluster.kubectl(*flow, kubeconfig=kubeconfig)
    assert Person(kubeconfig).flow("describe", "order-1").code == 0
    assert Person(kubeconfig, "default").flow("describe", "order-1").code == 2
    elsewhere = Person(tmp_path / "none")
    said = elsewhere.flow("describe", "order-1", "--kubeconfig", str(kubeconfig), "--context", "nowhere")
    assert said.code == 2
    assert "nowhere" in said.err


def test_kubectl_finds_the_plugin(operator: Operator, person: Person) -> None:
    scripts = [str(find_kubectl().parent), sysconfig.get_path("scripts"), os.environ["PATH"]]
    done = subprocess.run(
        ["kubectl", "flow", "describe", "order-1", "-n", operator.namespace],
        env=person.environment | {"PATH": os.pathsep.join(scripts)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("○ order-1 waits to be started")


@pytest.mark.parametrize("command", ["watch", "describe", "suspend"])
def test_a_run_that_is_not_there(person: Person, namespace: str, command: str) -> None:
    said = person.flow(command, "nobody")
    assert (said.code, said.out) == (2, "")
    assert said.err == f"error: no run named nobody in namespace {namespace}\n"


@pytest.mark.parametrize("command", ["watch", "describe", "suspend"])
def test_a_name_that_is_misspelt_is_told_with_those_that_are_there(
    person: Person, operator: Operator, command: str
) -> None:
    Operator(operator.cluster, operator.namespace, "other")
    said = person.flow(command, "ordr-1")
    assert said.code == 2
    assert said.err == (
        f"error: no run named ordr-1 in namespace {operator.namespace}: did you mean order-1? "
        "There are order-1 and other\n"
    )


def test_no_kubeconfig(tmp_path: Path) -> None:
    said = Person(tmp_path / "none").flow("watch", "order-1")
    assert said.code == 2
    assert said.err == f"error: there is no kubeconfig ({tmp_path}/none): name one with --kubeconfig or KUBECONFIG\n"


@pytest.mark.parametrize("text", ["{", "a: 1", "contexts: []\ncurrent-context: a\nclusters: []\nusers: []\n"])
def test_a_broken_kubeconfig(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    said = Person(tmp_path / "config").flow("watch", "order-1")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: kubeconfig {tmp_path}/config: ")
    assert said.err.count("\n") == 1


def test_nobody_listens(cluster: Cluster, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(re.sub(r"server: .*", "server: https://127.0.0.1:1", cluster.kubeconfig.read_text()))
    said = Person(kubeconfig).flow("watch", "order-1")
    assert said.code == 2
    assert said.err.startswith("error: the API server at https://127.0.0.1:1 cannot be reached: ")
    assert "connection refused: is it running" in said.err
    assert said.err.count("\n") == 1


def test_who_may_not_is_told_so(cluster: Cluster, operator: Operator) -> None:
    cluster.kubectl("create", "serviceaccount", "guest", "-n", operator.namespace)
    guest = cluster.kubeconfig_for(cluster.service_account_token(operator.namespace, "guest"))
    said = Person(guest, operator.namespace).flow("describe", "order-1")
    assert said.code == 2
    assert said.err.startswith(
        'error: you are not permitted to do this: workflowexecutions.flow.unistack.org "order-1" is forbidden'
    )
    assert said.err.endswith(f"What you may do: kubectl auth can-i --list -n {operator.namespace}\n")


def test_a_cluster_without_the_crds() -> None:
    with ControlPlane(crds=None) as bare:
        said = Person(bare.kubeconfig).flow("describe", "order-1")
    assert said.code == 2
    assert said.err.endswith(" does not know WorkflowExecutions: install the CRDs first\n")


def test_who_is_not_known_is_told_so(cluster: Cluster, operator: Operator) -> None:
    stranger = cluster.kubeconfig_for("made-up")
    said = Person(stranger, operator.namespace).flow("describe", "order-1")
    assert said.code == 2
    assert "does not accept your credentials: they may have expired. Log in again" in said.err
