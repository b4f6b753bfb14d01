"""Helm as a person uses it on a cluster, and what it has installed there."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.controlplane import Cluster, eventually
from tests.helm.chart import CHART, NAMESPACE, RELEASE, Object, Values, run_helm

REPOSITORY = Path(__file__).parents[2]
WAIT = ("--wait", "--timeout", "60s")


class Helm:
    """One version of Helm and one release."""

    def __init__(self, cluster: Cluster, directory: Path, major: int = 4) -> None:
        self._cluster = cluster
        self._home = directory / "helm"
        self._major = major

    def install(self, *flags: str, chart: Path = CHART, values: Values | None = None, name: str = RELEASE) -> str:
        """Install a chart."""
        return self._run("install", name, chart, *flags, values=values or {})

    def upgrade(self, *flags: str, chart: Path = CHART, values: Values | None = None) -> str:
        """Upgrade the release to this chart and these values."""
        return self._run("upgrade", RELEASE, chart, *flags, values=values or {})

    def rollback(self, revision: int) -> str:
        """Go back to a revision."""
        return self._run("rollback", RELEASE, str(revision), *WAIT)

    def uninstall(self, name: str = RELEASE) -> str:
        """Uninstall, and wait until all of it is gone."""
        return self._run("uninstall", name, *WAIT)

    def _run(self, *arguments: str | Path, values: Values | None = None) -> str:
        environment = {f"HELM_{each}_HOME": str(self._home) for each in ("CACHE", "CONFIG", "DATA")}
        access = ("--namespace", NAMESPACE, "--kubeconfig", self._cluster.kubeconfig)
        return run_helm(*arguments, *access, major=self._major, values=values, **environment)


class Installed:
    """What there is in the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def names(self, plural: str) -> set[str]:
        """Names of the objects of a kind, in the release's namespace if they are in one."""
        got = self._cluster.kubectl("get", plural, "--namespace", NAMESPACE, "-o", "json")
        return {each["metadata"]["name"] for each in json.loads(got)["items"]}

    def crds(self) -> dict[str, Object]:
        """Flow's CRDs, by plural."""
        items = json.loads(self._cluster.kubectl("get", "crds", "-o", "json"))["items"]
        return {each["spec"]["names"]["plural"]: each for each in items}

    def deployment(self) -> Object:
        """The operator's Deployment."""
        found: Object = self._get("deployment", RELEASE)
        return found

    def until_available(self, replicas: int) -> None:
        """Wait until the Deployment counts so many, of its present template: Helm 3 looks at its ReplicaSet alone."""

        def counted() -> bool:
            status = self.deployment()["status"]
            return all(status.get(f"{which}Replicas", 0) == replicas for which in ("available", "updated"))

        eventually(counted, within=20, what=f"{replicas} replicas available")

    def pods(self) -> list[Object]:
        """The operator's pods."""
        got = self._cluster.kubectl("get", "pods", "--namespace", NAMESPACE, "-o", "json")
        pods: list[Object] = json.loads(got)["items"]
        return pods

    def _get(self, kind: str, name: str) -> Any:
        return json.loads(self._cluster.kubectl("get", kind, name, "--namespace", NAMESPACE, "-o", "json"))


def environment(pod: Object) -> dict[str, str]:
    """The environment that kubelet would give the operator in this pod."""
    (container,) = pod["spec"]["containers"]
    return {each["name"]: each.get("value") or _field(pod, each["valueFrom"]["fieldRef"]) for each in container["env"]}


def _field(pod: Object, reference: Object) -> str:
    value: Any = pod
    for part in reference["fieldPath"].split("."):
        value = value[part]
    return str(value)


def first_chart(directory: Path) -> Path:
    """The chart as the earliest commit of this clone has it."""

    def git(*arguments: str) -> bytes:
        return subprocess.run(["git", "-C", REPOSITORY, *arguments], capture_output=True, check=True).stdout

    path = str(CHART.relative_to(REPOSITORY))
    first = git("rev-list", "--reverse", "HEAD", "--", f"{path}/Chart.yaml").decode().split()[0]
    directory.mkdir()
    subprocess.run(["tar", "-x", "-C", directory], input=git("archive", first, path), check=True)
    return directory / path
