"""The control plane that the other tests stand on is a real one, and it leaves nothing behind."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.controlplane import (
    Cluster,
    ControlPlane,
    ExistingCluster,
    KubectlError,
    NoAuditLogError,
    ServerError,
    eventually,
)
from tests.controlplane.binaries import Binaries

pytestmark = pytest.mark.e2e

REPOSITORY = Path(__file__).parents[1]
PROBE_CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: auditprobes.flow.unistack.org}
spec:
  group: flow.unistack.org
  names: {kind: AuditProbe, plural: auditprobes, singular: auditprobe}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


def config_map(name: str, owner: dict[str, str] | None = None) -> str:
    metadata = {"name": name} | ({"ownerReferences": [owner]} if owner else {})
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


def test_what_a_deleted_object_owns_is_collected(cluster: Cluster, namespace: str) -> None:
    def names() -> list[str]:
        return cluster.kubectl("get", "configmaps", "-n", namespace, "-o", "name").split()

    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=config_map("owner"))
    uid = cluster.kubectl("get", "configmap", "owner", "-n", namespace, "-o", "jsonpath={.metadata.uid}")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=config_map("owned", reference))
    assert "configmap/owned" in names()

    cluster.kubectl("delete", "configmap", "owner", "-n", namespace)

    eventually(lambda: "configmap/owned" not in names(), within=60, what="the owned ConfigMap is gone")


def test_a_deleted_namespace_goes_away(cluster: Cluster) -> None:
    name = cluster.create_namespace("short-lived")
    cluster.kubectl("create", "configmap", "content", "-n", name)

    cluster.delete_namespace(name)

    missing = ("get", "namespace", name, "--ignore-not-found")
    eventually(lambda: not cluster.kubectl(*missing), within=60, what=f"namespace {name} is gone")


def test_a_token_can_do_what_its_role_says_and_no_more(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl("create", "serviceaccount", "reader", "-n", namespace)
    reader = cluster.kubeconfig_for(cluster.service_account_token(namespace, "reader"))
    read = ("get", "configmaps", "-n", namespace)
    with pytest.raises(KubectlError, match="forbidden"):
        cluster.kubectl(*read, kubeconfig=reader)

    subject = f"--serviceaccount={namespace}:reader"
    cluster.kubectl("create", "role", "reader", "--verb=get,list", "--resource=configmaps", "-n", namespace)
    cluster.kubectl("create", "rolebinding", "reader", "--role=reader", subject, "-n", namespace)

    def may_list() -> bool:
        question = ("auth", "can-i", "list", "configmaps", "-n", namespace)
        with contextlib.suppress(KubectlError):
            return cluster.kubectl(*question, kubeconfig=reader).strip() == "yes"
        return False

    eventually(may_list, within=10, what="the Role in force")
    cluster.kubectl(*read, kubeconfig=reader)
    with pytest.raises(KubectlError, match="forbidden"):
        cluster.kubectl("create", "configmap", "more", "-n", namespace, kubeconfig=reader)


def test_the_audit_log_tells_who_wrote_and_who_was_refused(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "serviceaccount", "stranger", "-n", namespace)
    stranger = control_plane.kubeconfig_for(control_plane.service_account_token(namespace, "stranger"))
    control_plane.kubectl("create", "configmap", "written", "-n", namespace)
    with pytest.raises(KubectlError, match="forbidden"):
        control_plane.kubectl("create", "configmap", "refused", "-n", namespace, kubeconfig=stranger)

    creations = [
        (event["user"]["username"], event["responseStatus"]["code"])
        for event in control_plane.audit_events()
        if event["verb"] == "create"
        and event["objectRef"]["resource"] == "configmaps"
        and event["objectRef"]["namespace"] == namespace
        and event["user"]["username"] != "system:kube-controller-manager"
    ]

    assert creations == [("admin", 201), (f"system:serviceaccount:{namespace}:stranger", 403)]


def test_the_audit_log_has_what_was_written_to_our_own_kinds(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    (tmp_path / "probe.yaml").write_text(PROBE_CRD)
    assert control_plane.install_crds(tmp_path)
    probe = {"apiVersion": "flow.unistack.org/v1", "kind": "AuditProbe", "metadata": {"name": "a"}, "status": {"n": 1}}
    control_plane.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(probe))

    [event] = [
        e for e in control_plane.audit_events() if e["verb"] == "create" and e["objectRef"]["resource"] == "auditprobes"
    ]

    assert event["requestObject"]["status"] == {"n": 1}
    assert event["responseObject"]["metadata"]["resourceVersion"]
    assert event["requestReceivedTimestamp"] <= event["stageTimestamp"]
    control_plane.kubectl("delete", "crd", "auditprobes.flow.unistack.org")


@pytest.mark.parametrize("server", ["apiserver", "etcd"])
def test_a_crash_and_restart_keeps_data_port_and_tokens(
    control_plane: ControlPlane, namespace: str, server: str
) -> None:
    control_plane.kubectl("create", "configmap", "before", "-n", namespace)

    restart = {"apiserver": control_plane.restart_apiserver, "etcd": control_plane.restart_etcd}[server]
    restart(crash=True)

    kept = control_plane.kubectl("get", "configmap", "before", "-n", namespace, "-o", "name")
    assert kept.strip() == "configmap/before"
    assert control_plane.url in control_plane.kubeconfig.read_text()


def test_a_server_that_cannot_start_is_named_and_nothing_is_left() -> None:
    false = Path(shutil.which("false") or "false")
    broken = ControlPlane(binaries=Binaries(etcd=false, kube_apiserver=false, kube_controller_manager=None))

    with pytest.raises(ServerError, match="false ended with code 1"):
        broken.start()

    assert not broken.directory.exists()


def test_a_cluster_that_is_there_already_is_used_as_it_is(control_plane: ControlPlane) -> None:
    with ExistingCluster(control_plane.kubeconfig) as existing:
        namespace = existing.create_namespace("guest")
        existing.kubectl("create", "serviceaccount", "guest", "-n", namespace)
        guest = existing.kubeconfig_for(existing.service_account_token(namespace, "guest"))
        assert f"{namespace}:guest" in existing.kubectl("auth", "whoami", "-o", "json", kubeconfig=guest)
        with pytest.raises(NoAuditLogError):
            existing.audit_events()
        existing.delete_namespace(namespace)

    assert not existing.directory.exists()
    control_plane.kubectl("get", "namespace", "default")


@contextlib.contextmanager
def command_for_people() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """`python -m tests.controlplane` once it has said where its kubeconfig is, and its directory."""
    command = [sys.executable, "-m", "tests.controlplane"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            exported = next(filter(None, (re.search(r"export KUBECONFIG=(.*)", line) for line in process.stdout)))
            yield process, Path(exported[1]).parent
        finally:
            process.kill()


def processes_of(directory: Path) -> list[str]:
    """The servers name their directory on their command lines."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "args"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(directory) in line]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_for_people_ends_cleanly(ending: signal.Signals) -> None:
    with command_for_people() as (process, directory):
        assert len(processes_of(directory)) == 4

        process.send_signal(ending)

        assert process.wait(timeout=30) == 0
        assert processes_of(directory) == []
        assert not directory.exists()


def test_servers_do_not_outlive_a_process_that_was_killed() -> None:
    with command_for_people() as (process, directory):
        assert len(processes_of(directory)) == 4

        process.kill()

        eventually(lambda: not processes_of(directory), within=30, what="the servers are gone")
        eventually(lambda: not directory.exists(), within=30, what="their files are gone")
