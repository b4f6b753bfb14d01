"""This project's own control plane: three servers on loopback, up in seconds and thrown away afterwards."""

import base64
import itertools
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.controlplane import servers
from tests.controlplane.audit import AuditLog, Event
from tests.controlplane.binaries import Binaries, find_or_build
from tests.controlplane.cluster import Cluster, ExistingCluster
from tests.controlplane.endpoint import Endpoint
from tests.controlplane.identity import ADMIN, CONTROLLER_MANAGER, PROBE, StaticTokens, write_kubeconfig
from tests.controlplane.polling import eventually
from tests.controlplane.process import Server, Tether

CRDS = Path(__file__).parents[2] / "crds"
READY_WITHIN = 120.0
_BARRIER = "audit-barrier-"


def open_cluster(kubeconfig: Path | str | None = None) -> Cluster:
    """The cluster to work on: that of `kubeconfig` or of FLOW_TEST_KUBECONFIG if one is given, else an own one."""
    existing = kubeconfig or existing_kubeconfig()
    return ExistingCluster(existing, crds=CRDS) if existing else ControlPlane()


def existing_kubeconfig() -> str | None:
    """The kubeconfig of the cluster that a person wants the tests to run on."""
    return os.environ.get("FLOW_TEST_KUBECONFIG")


class ControlPlane(Cluster):
    """etcd, kube-apiserver and kube-controller-manager, with RBAC and an audit log.

    The servers `etcd`, `apiserver` and `controller_manager` can be killed, stopped, paused and started one by one;
    ports, data, certificate and tokens stay the same until `stop`. With `fsync`, etcd writes as it does in production.
    """

    has_audit_log = True
    url: str
    etcd: Server
    apiserver: Server
    controller_manager: Server | None = None

    def __init__(
        self,
        *,
        binaries: Binaries | None = None,
        crds: Path | None = CRDS,
        fsync: bool = False,
        controllers: Sequence[str] = (),
    ) -> None:
        """`controllers` run beside those that every control plane has: `deployment`, `replicaset`, …"""
        self._binaries = binaries
        self._crds = crds
        self._fsync = fsync
        self._controllers = controllers
        self._running = False
        self._servers: list[Server] = []
        self._barriers = itertools.count()

    def start(self) -> None:
        """Start the servers, install the CRDs, and return when all of it works."""
        binaries = self._binaries or find_or_build()
        self.directory = Path(tempfile.mkdtemp(prefix="flow-controlplane-"))
        self.kubeconfig = self.directory / "admin.kubeconfig"
        self._tether = Tether(self.directory)
        self._ports = servers.Ports.reserve()
        self._servers.clear()
        self._running = True
        try:
            self._assemble(binaries)
            self.etcd.start()
            self.apiserver.start()
            self.wait_ready()
            write_kubeconfig(self.kubeconfig, self._cluster_entry(), self._tokens[ADMIN])
            # Before the controller manager starts: its garbage collector looks for new kinds only every 30 seconds.
            if self._crds:
                self.install_crds(self._crds)
            if self.controller_manager:
                self._start_controllers(self.controller_manager)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the servers at once and remove everything they wrote: nothing of it is used again."""
        if not self._running:
            return
        self._running = False
        self._tether.release()
        for server in self._servers:
            server.kill()
        self._ports.release()
        shutil.rmtree(self.directory, ignore_errors=True)

    def wait_ready(self) -> None:
        """Return when kube-apiserver is ready and reads from etcd; ServerError as soon as one of them has ended."""
        eventually(self._is_ready, within=READY_WITHIN, what="kube-apiserver ready")

    def restart_apiserver(self, *, crash: bool = False) -> None:
        """Stop kube-apiserver (with `crash`: kill it), start it again on the same port, and wait until it is ready."""
        self._restart(self.apiserver, crash=crash)

    def restart_etcd(self, *, crash: bool = False) -> None:
        """The same for etcd; ready means that kube-apiserver reads from it again."""
        self._restart(self.etcd, crash=crash)

    def check(self) -> None:
        """Raise ServerError if a server has ended by itself."""
        for server in self._servers:
            server.check()

    def audit_events(self) -> list[Event]:
        """Every request answered before this call, one event each, in the order of the answers (see audit.py)."""
        self._pass_audit_barrier()
        return [event for event in self._audit.events() if not _is_barrier(event)]

    def _assemble(self, binaries: Binaries) -> None:
        layout, ports = servers.Layout(self.directory), self._ports
        self._layout = layout
        self._tokens = StaticTokens()
        layout.write(self._tokens)
        self._audit = AuditLog(layout.audit_log)
        self.url = f"https://127.0.0.1:{ports.apiserver}"
        self._probe = Endpoint(ports.apiserver.number, layout.certificate, self._tokens[PROBE])
        self._admin = Endpoint(ports.apiserver.number, layout.certificate, self._tokens[ADMIN])
        self.etcd = self._server(servers.etcd(binaries.etcd, layout, ports, fsync=self._fsync))
        self.apiserver = self._server(servers.kube_apiserver(binaries.kube_apiserver, layout, ports))
        if binaries.kube_controller_manager:
            command = servers.kube_controller_manager(
                binaries.kube_controller_manager, layout.controllers_kubeconfig, *self._controllers
            )
            self.controller_manager = self._server(command)

    def _server(self, command: servers.Command) -> Server:
        server = Server(command, self.directory, self._tether)
        self._servers.append(server)
        return server

    def _start_controllers(self, controller_manager: Server) -> None:
        write_kubeconfig(self._layout.controllers_kubeconfig, self._cluster_entry(), self._tokens[CONTROLLER_MANAGER])
        controller_manager.start()

        def working() -> bool:
            controller_manager.check()
            return self._probe.status("/api/v1/namespaces/default/serviceaccounts/default") == 200

        eventually(working, within=READY_WITHIN, what="kube-controller-manager at work (a default ServiceAccount)")

    def _cluster_entry(self) -> Mapping[str, Any]:
        certificate = base64.b64encode(self._layout.certificate.read_bytes()).decode()
        return {"server": self.url, "certificate-authority-data": certificate}

    def _is_ready(self) -> bool:
        self.etcd.check()
        self.apiserver.check()
        return all(self._probe.status(path) == 200 for path in ("/readyz", "/api/v1/namespaces/default"))

    def _restart(self, server: Server, *, crash: bool) -> None:
        if crash:
            server.kill()
        else:
            server.stop()
        server.start()
        self.wait_ready()

    def _pass_audit_barrier(self) -> None:
        """Make one request and wait until it is in the log: what was answered before it is there too."""
        name = f"{_BARRIER}{next(self._barriers)}"
        if self._admin.status(f"/api/v1/namespaces/{name}"):
            eventually(
                lambda: any(_is_barrier(event, name) for event in reversed(self._audit.events())),
                within=10,
                what=f"{name} in the audit log",
            )


def _is_barrier(event: Event, name: str = _BARRIER) -> bool:
    return str(event.get("objectRef", {}).get("name", "")).startswith(name)
