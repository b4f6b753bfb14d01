"""A real kube-apiserver, etcd and kube-controller-manager on loopback, for tests, the demo and people.

    with open_cluster() as cluster:          # an own control plane, or the cluster of FLOW_TEST_KUBECONFIG
        cluster.kubectl("get", "namespaces")

`python -m tests.controlplane` keeps one up for a person.
"""

from tests.controlplane.binaries import BinariesError, find_or_build
from tests.controlplane.cluster import Cluster, ExistingCluster, KubectlError, NoAuditLogError
from tests.controlplane.controlplane import ControlPlane, existing_kubeconfig, open_cluster
from tests.controlplane.polling import eventually
from tests.controlplane.process import ServerError

__all__ = [
    "BinariesError",
    "Cluster",
    "ControlPlane",
    "ExistingCluster",
    "KubectlError",
    "NoAuditLogError",
    "ServerError",
    "eventually",
    "existing_kubeconfig",
    "find_or_build",
    "open_cluster",
]
