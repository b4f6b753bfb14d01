"""Helm 3 and 4, helm-unittest, kubeconform, kwok and the scheduler, built once per user as the control plane is.

`python -m tests.helm.programs` builds them, and whatever else of Go the tests need.
"""

from functools import cache
from pathlib import Path

from tests.controlplane.gobuild import Programs, build, kubernetes
from tests.gitops import judge
from tests.helm import prometheus_operator

MODULE = Path(__file__).parent
PACKAGES = {
    "helm4": "helm.sh/helm/v4/cmd/helm",
    "helm3": "helm.sh/helm/v3/cmd/helm",
    "helm-unittest": "github.com/helm-unittest/helm-unittest/cmd/helm-unittest",
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
}


@cache
def program(name: str) -> Path:
    """One of these programs, built if it is not there."""
    if name == "kube-scheduler":
        return build(kubernetes(name)) / name
    return build(Programs(MODULE, {name: PACKAGES[name]}, {})) / name


def build_all() -> None:
    """Build, and fetch, what is missing."""
    for name in (*PACKAGES, "kube-scheduler"):
        program(name)
    judge.program()
    prometheus_operator.source()


if __name__ == "__main__":
    build_all()
