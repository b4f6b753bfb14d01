"""What the demo is about to do and how long that takes, said before it does it."""

import shutil
from collections.abc import Iterator, Mapping, Sequence

STARTERS: Mapping[str, str] = {
    "kind": "kind create cluster --name flow --kubeconfig flow.kubeconfig",
    "k3s": "sudo k3s kubectl config view --raw > flow.kubeconfig",
}
"""Programs that bring a cluster, and the command that leaves its kubeconfig in a file."""


def clusters_on_path() -> list[str]:
    """Which of these programs are there."""
    return [name for name in STARTERS if shutil.which(name)]


def prospect(kubeconfig: str | None, binaries: str | None, starters: Sequence[str]) -> Iterator[str]:
    """Sentences: which control plane is used, and if it must be built first, how that can be avoided."""
    if kubeconfig:
        yield f"Using the cluster of KUBECONFIG ({kubeconfig}); nothing is built."
    elif binaries:
        yield f"Starting a control plane from {binaries}; this takes a few seconds."
    else:
        yield "There is no control plane yet, so etcd and kube-apiserver are built from source."
        yield "This takes about six minutes on two cores, once, and shows its progress. The demo then takes a minute."
        yield "To use a cluster instead, press Ctrl-C, export its KUBECONFIG and run `make demo` again."
        yield "To use existing binaries, set KUBEBUILDER_ASSETS to a directory with etcd and kube-apiserver."
        for name in starters:
            yield f"{name} is installed: {STARTERS[name]} && export KUBECONFIG=$PWD/flow.kubeconfig"
