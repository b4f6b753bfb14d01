"""What tests, demo and benchmarks ask of any cluster, and the cluster that a person brings along."""

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.controlplane.audit import Event
from tests.controlplane.binaries import find_kubectl
from tests.controlplane.identity import write_kubeconfig, write_private


class KubectlError(RuntimeError):
    """kubectl said no; the message is what it wrote to stderr."""


class NoAuditLogError(RuntimeError):
    """This cluster's audit log cannot be read from here."""


class Cluster:
    """A running cluster, reached as its administrator.

    `directory` holds this session's own files and goes away with it; `kubeconfig` is the administrator's file in it.
    """

    directory: Path
    kubeconfig: Path
    has_audit_log = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Make the cluster usable; when this returns, it is."""
        raise NotImplementedError

    def stop(self) -> None:
        """Undo `start`. Calling it twice does no harm."""
        raise NotImplementedError

    def audit_events(self) -> list[Event]:
        """Every request that the API server has answered so far, one event each (see audit.py)."""
        raise NoAuditLogError(f"no audit log of the cluster behind {self.kubeconfig}")

    def kubectl(self, *arguments: str | Path, stdin: str | None = None, kubeconfig: Path | None = None) -> str:
        """Run kubectl, as the administrator unless another kubeconfig is given, and return what it printed."""
        # Its discovery cache is keyed by host and port, which a later control plane may use again with other CRDs.
        cache = self.directory / "kubectl-cache"
        access: list[str | Path] = ["--kubeconfig", kubeconfig or self.kubeconfig, "--cache-dir", cache]
        return _run([find_kubectl(), *access, *arguments], stdin=stdin)

    def install_crds(self, crds: Path) -> bool:
        """Apply the CRDs of a directory and wait until they are served; False if there are none."""
        if not any(crds.glob("*.yaml")):
            return False
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", crds)
        self.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", crds)
        return True

    def create_namespace(self, prefix: str) -> str:
        """Create a namespace whose name begins with `prefix` and is new."""
        name = f"{prefix[:50].strip('-')}-{secrets.token_hex(3)}"
        self.kubectl("create", "namespace", name)
        return name

    def delete_namespace(self, name: str) -> None:
        """Ask for the deletion of a namespace, and leave it to the cluster."""
        self.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")

    def service_account_token(self, namespace: str, name: str, *, duration: str = "24h") -> str:
        """A token of an existing ServiceAccount (TokenRequest)."""
        return self.kubectl("create", "token", name, "--namespace", namespace, "--duration", duration).strip()

    def kubeconfig_for(self, token: str) -> Path:
        """A kubeconfig that reaches this cluster with `token`, and with nothing else."""
        path = self.directory / f"{hashlib.sha256(token.encode()).hexdigest()[:12]}.kubeconfig"
        write_kubeconfig(path, self._cluster_entry(), token)
        return path

    def _cluster_entry(self) -> Mapping[str, Any]:
        """This cluster as the `cluster` entry of a kubeconfig."""
        config = json.loads(self.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
        entry: Mapping[str, Any] = config["clusters"][0]["cluster"]
        return entry


class ExistingCluster(Cluster):
    """The cluster of a person's own kubeconfig (kind, k3s, a real one), used as it is.

    The current context is copied at the start: switching it meanwhile does not lead a test elsewhere. As in KUBECONFIG,
    several files may be given with colons between them.
    """

    def __init__(self, kubeconfig: Path | str, crds: Path | None = None) -> None:
        self._given = str(kubeconfig)
        self._crds = crds

    def start(self) -> None:
        """Copy the current context, see that the cluster answers, and install the CRDs."""
        self.directory = Path(tempfile.mkdtemp(prefix="flow-cluster-"))
        self.kubeconfig = self.directory / "admin.kubeconfig"
        try:
            write_private(self.kubeconfig, self._current_context())
            self.kubectl("get", "--raw", "/readyz", "--request-timeout=10s")
            if self._crds:
                self.install_crds(self._crds)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Leave the cluster alone; remove only this session's files."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _current_context(self) -> str:
        command: list[str | Path] = [find_kubectl(), "config", "view", "--raw", "--minify", "--flatten"]
        return _run(command, env=os.environ | {"KUBECONFIG": self._given})


def _run(command: Sequence[str | Path], *, stdin: str | None = None, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, input=stdin, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KubectlError(done.stderr.strip() or f"kubectl ended with code {done.returncode}")
    return done.stdout
