"""A cluster with nodes that do not exist: the real controllers and scheduler, and kwok, which makes every pod Ready."""

import json
from pathlib import Path
from typing import Self

from tests.controlplane import ControlPlane
from tests.controlplane.process import Server, Tether
from tests.helm.chart import NAMESPACE
from tests.helm.programs import program

STAGES = Path(__file__).with_name("stages.yaml")
CONTROLLERS = ("deployment", "replicaset", "clusterrole-aggregation", "disruption")
NODES = 2


class World:
    """A context manager; at its end nothing is left."""

    def __init__(self) -> None:
        self.control_plane = ControlPlane(crds=None, controllers=CONTROLLERS)

    def __enter__(self) -> Self:
        self.control_plane.start()
        try:
            self._begin()
        except BaseException:
            self.control_plane.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._tether.release()
        for server in (self.kwok, self._scheduler):
            server.kill()
        self.control_plane.stop()

    def _begin(self) -> None:
        plane = self.control_plane
        self._tether = Tether(plane.directory / "nodes")
        access = f"--kubeconfig={plane.kubeconfig}"
        self._scheduler = self._server("kube-scheduler", access, "--leader-elect=false", "--secure-port=0")
        self.kwok = self._server("kwok", access, f"--config={STAGES}", "--manage-all-nodes=true")
        nodes = [_node(number) for number in range(NODES)]
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": _restricted(NAMESPACE)}
        plane.kubectl("create", "-f", "-", stdin="\n---\n".join(map(json.dumps, [*nodes, namespace])))
        # What takes this taint away, once a node is ready, would also mind that nobody renews the node's lease.
        plane.kubectl("taint", "nodes", "--all", "node.kubernetes.io/not-ready-")
        self._scheduler.start()
        self.kwok.start()

    def _server(self, name: str, *flags: str) -> Server:
        return Server([program(name), *flags], self.control_plane.directory, self._tether)


def _node(number: int) -> dict[str, object]:
    metadata = {
        "name": f"node-{number}",
        "annotations": {"kwok.x-k8s.io/node": "fake"},
        "labels": {"kubernetes.io/hostname": f"node-{number}", "topology.kubernetes.io/zone": f"zone-{number}"},
    }
    room = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "status": {"capacity": room, "allocatable": room},
    }


def _restricted(name: str) -> dict[str, object]:
    """Pods that are not as restricted as Kubernetes can ask for are refused here."""
    return {"name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
