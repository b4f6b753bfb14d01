"""Everything that the demo runs on: a cluster, the services, the operator, and a person's kubeconfig."""

import json
import os
import shutil
import sysconfig
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from tests.controlplane import Cluster, ControlPlane, ExistingCluster
from tests.controlplane.binaries import found
from tests.controlplane.controlplane import CRDS
from tests.controlplane.identity import write_private
from tests.controlplane.process import Tether
from tests.monitoring.prometheus import Prometheus, is_installed

from examples.order.demo.operator_process import OperatorProcess
from examples.order.demo.prospect import clusters_on_path, prospect
from examples.order.demo.screen import Screen
from examples.order.manifests import DIRECTORY, render
from examples.order.services import OrderServices, PortTakenError

ROOT = Path(__file__).parents[3]
SCRIPTS = Path(sysconfig.get_path("scripts"))
INSTALL = ROOT / "examples" / "install"
NAMESPACE, ACCOUNT = "flow-system", "flow-operator"

PACE = 0.5
"""Seconds that a call takes, so that there is something to watch."""


class WorldError(Exception):
    """The demo cannot be set up here; the message says why and what to do."""


class World:
    """A context manager: after it is entered everything runs, after it is left nothing does."""

    cluster: Cluster
    services: OrderServices
    operator: OperatorProcess
    prometheus: Prometheus | None
    """Where one is installed."""
    kubeconfig: Path
    definitions: Path

    def __init__(self, screen: Screen, kubeconfig: str | None) -> None:
        """Use the cluster of `kubeconfig`, or, without one, start a control plane."""
        self._given = kubeconfig
        self._screen = screen
        self._exit = ExitStack()

    def __enter__(self) -> "World":
        try:
            self.directory = Path(tempfile.mkdtemp(prefix="flow-demo-"))
            self._exit.callback(shutil.rmtree, self.directory, ignore_errors=True)
            self._tether = Tether(self.directory)
            self._exit.callback(self._tether.release)
            self._screen.heading("A Kubernetes API server, eight services and the operator")
            for sentence in prospect(self._given, None if self._given else found(), clusters_on_path()):
                self._screen.note(sentence)
            self.cluster = self._exit.enter_context(self._cluster())
            self._use_namespace()
            self._screen.fact("cluster", f"{self._server()}, with the CRDs of crds/")
            self.services = self._services()
            ports = self.services.ports.items()
            self._screen.fact("services", " ".join(f"{name}:{port}" for name, port in ports))
            self._install()
            self._screen.fact("operator", f"process {self.operator.pid}, as ServiceAccount {NAMESPACE}/{ACCOUNT}")
            self.prometheus = self._prometheus() if is_installed() else None
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    @property
    def environment(self) -> dict[str, str]:
        """What a person's shell would have: the kubeconfig, and kubectl with its plugin on the PATH."""
        path = f"{SCRIPTS}{os.pathsep}{os.environ.get('PATH', '')}"
        return os.environ | {"KUBECONFIG": str(self.kubeconfig), "PATH": path}

    def kubectl(self, *arguments: str) -> str:
        """What kubectl prints for a person in the demo's namespace."""
        return self.cluster.kubectl(*arguments, kubeconfig=self.kubeconfig)

    def _cluster(self) -> Cluster:
        return ExistingCluster(self._given, crds=CRDS) if self._given else ControlPlane()

    def _server(self) -> str:
        version = json.loads(self.cluster.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
        whose = f"the cluster of KUBECONFIG ({self._given})" if self._given else "a control plane of its own"
        return f"{whose}, Kubernetes {version}, namespace {self.namespace}"

    def _use_namespace(self) -> None:
        """Make a namespace for the orders, and a kubeconfig that is already in it."""
        if self._given:
            self._refuse_a_second_operator()
            self.namespace = self.cluster.create_namespace("shop")
            self._exit.callback(self.cluster.delete_namespace, self.namespace)
        else:
            self.namespace = "shop"
            self.cluster.kubectl("create", "namespace", self.namespace)
        config: dict[str, Any] = yaml.safe_load(self.cluster.kubeconfig.read_text())
        for context in config["contexts"]:
            context["context"]["namespace"] = self.namespace
        self.kubeconfig = self.directory / "kubeconfig"
        write_private(self.kubeconfig, yaml.safe_dump(config, sort_keys=False))

    def _services(self) -> OrderServices:
        """Start the services on the ports that the manifests name, or else on free ones with manifests of their own."""
        try:
            services = self._exit.enter_context(OrderServices(self.directory, default_ports=True, pace=PACE))
            self.definitions = DIRECTORY
        except PortTakenError as error:
            self._screen.note(f"  {error}: all of them take free ports, and the manifests are written for those.")
            services = self._exit.enter_context(OrderServices(self.directory, pace=PACE))
            self.definitions = self.directory / "order"
            self.definitions.mkdir()
            render(self.definitions, services.ports)
        return services

    def _install(self) -> None:
        """Give the operator its ServiceAccount and Role, and start it with the token of that."""
        if self._given:
            self._exit.callback(self.cluster.kubectl, "delete", "--ignore-not-found", "--timeout=60s", "-f", INSTALL)
        self.cluster.kubectl("apply", "-f", INSTALL)
        token = self.cluster.service_account_token(NAMESPACE, ACCOUNT)
        settings = {
            "FLOW_NAMESPACES": self.namespace,
            "FLOW_SERVICE_URL": "http://127.0.0.1:{port}/{method}",
            "FLOW_EGRESS_ALLOW": "127.0.0.1",
            "FLOW_IDENTITY": "demo",
            "FLOW_LEASE_NAMESPACE": NAMESPACE,
        }
        self.operator = OperatorProcess(self.cluster.kubeconfig_for(token), self.directory / "operator.log", settings)
        self._exit.callback(self.operator.kill)
        self.operator.start()

    def _prometheus(self) -> Prometheus:
        """Have the operator watched, by the chart's alerts with minutes as seconds."""
        directory = self.directory / "prometheus"
        directory.mkdir()
        prometheus = Prometheus(directory, self._tether)
        self._exit.callback(prometheus.stop)
        prometheus.start()
        prometheus.scrape(self.operator.address)
        self._screen.fact("Prometheus", f"{prometheus.url}, with the chart's alerts, their minutes taken as seconds")
        return prometheus

    def _refuse_a_second_operator(self) -> None:
        if self.cluster.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "-o", "name"):
            raise WorldError(
                f"this cluster has a namespace {NAMESPACE} already: if an operator runs in it, the two would compete. "
                f"If it is left over from a demo: kubectl delete -f {INSTALL.relative_to(ROOT)}"
            )
