"""What is measured on: an API server that records nothing, the operator under its own rights, and a fast service."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from examples.order.demo.world import ACCOUNT, INSTALL, NAMESPACE
from tests.controlplane import ControlPlane
from tests.controlplane.process import Tether
from tests.controlplane.servers import Layout

from bench.callee import Callee
from bench.operator import OperatorProcess
from bench.processes import MEASURED, CpuMeter, children, pin

SERVERS = {"kube-apiserver": "API server", "etcd": "etcd", "kube-controller": "controllers"}

CAN_BE_APART = MEASURED and (os.cpu_count() or 1) > 1

NO_AUDIT = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "None"}]}


class Stage:
    """A context manager: after it is entered everything but the operator runs, after it is left nothing does."""

    callee: Callee
    admin: Path
    """The administrator's kubeconfig: who applies runs."""
    account: Path
    """The operator's kubeconfig, with which the raw writers write as well."""

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._directory = Path(tempfile.mkdtemp(prefix="flow-bench-"))
            self._tether = Tether(self._directory)
            opened.callback(self._tether.release)
            self._plane = opened.enter_context(ControlPlane())
            self._record_nothing()
            self._plane.kubectl("apply", "-f", INSTALL)
            self.admin = self._plane.kubeconfig
            self.account = self._plane.kubeconfig_for(self._plane.service_account_token(NAMESPACE, ACCOUNT))
            self.callee = opened.enter_context(Callee())
            self._exit = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    @contextmanager
    def operator(
        self, namespace: str, profile: Path | None = None, watched: Path | None = None
    ) -> Iterator[OperatorProcess]:
        """An operator for this namespace, not started yet; it is ended with the block.

        It runs under a profiler if that is to write to a file, or with its event loop `watched`, which is told in one.
        """
        settings = {
            "FLOW_NAMESPACES": namespace,
            "FLOW_LEASE_NAMESPACE": NAMESPACE,
            "FLOW_IDENTITY": "bench",
            "FLOW_SERVICE_URL": "http://127.0.0.1:{port}/{method}",
            "FLOW_EGRESS_ALLOW": "127.0.0.1",
        }
        module = ["flow_operator"]
        if profile is not None:
            module = ["bench.profiled", str(profile)]
        elif watched is not None:
            module = ["bench.watched", str(watched)]
        operator = OperatorProcess(self.account, self.log(namespace), settings, self._tether.group, module)
        try:
            yield operator
        finally:
            operator.stop()

    def log(self, name: str) -> Path:
        """A file that goes with the stage."""
        return self._directory / f"{name}.log"

    def namespace(self, name: str) -> str:
        """Make a namespace."""
        self._plane.kubectl("create", "namespace", name)
        return name

    def cpu(self, operator: OperatorProcess | None = None) -> CpuMeter:
        """Measure from now on what everything on this stage costs."""
        pids = {SERVERS[name]: pid for name, pid in children().items() if name in SERVERS}
        pids["service"] = self.callee.pid
        if operator is not None:
            pids["operator"] = operator.pid
        return CpuMeter(pids)

    @contextmanager
    def apart(self, operator: OperatorProcess) -> Iterator[None]:
        """The API server and etcd have half of the CPUs for themselves; everything else has the other half."""
        every = sorted(os.sched_getaffinity(0))
        half = len(every) // 2
        servers = [pid for name, pid in children().items() if name in SERVERS]
        for pid in servers:
            pin(pid, every[:half])
        for pid in (operator.pid, self.callee.pid, os.getpid()):
            pin(pid, every[half:])
        try:
            yield
        finally:
            for pid in (*servers, operator.pid, self.callee.pid, os.getpid()):
                pin(pid, every)

    def _record_nothing(self) -> None:
        """The control plane of the tests keeps every write with its body: work that no cluster has to do."""
        Layout(self._plane.directory).audit_policy.write_text(json.dumps(NO_AUDIT))
        self._plane.restart_apiserver()
