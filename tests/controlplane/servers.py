"""How each server is started: its flags, and the files that they name."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.controlplane.audit import POLICY
from tests.controlplane.identity import StaticTokens, write_private, write_signing_key
from tests.controlplane.ports import ReservedPort

Command = list[str | Path]


class Layout:
    """Where the files of one control plane are."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.etcd_data = directory / "etcd"
        self.tokens = directory / "tokens.csv"
        self.signing_key = directory / "service-account.key"
        self.audit_policy = directory / "audit-policy.json"
        self.audit_log = directory / "audit.log"
        self.controllers_kubeconfig = directory / "controller-manager.kubeconfig"
        # kube-apiserver makes its own certificate on its first start and keeps it: clients go on trusting it.
        self.certificates = directory / "certificates"
        self.certificate = self.certificates / "apiserver.crt"

    def write(self, tokens: StaticTokens) -> None:
        """Write the files that kube-apiserver reads when it starts."""
        tokens.write(self.tokens)
        write_signing_key(self.signing_key)
        write_private(self.audit_policy, json.dumps(POLICY))


@dataclass(frozen=True)
class Ports:
    """The ports of one control plane."""

    etcd: ReservedPort
    etcd_peer: ReservedPort
    apiserver: ReservedPort

    @classmethod
    def reserve(cls) -> Self:
        """Take three free ports."""
        return cls(ReservedPort(), ReservedPort(), ReservedPort())

    def release(self) -> None:
        """Give them back."""
        for port in (self.etcd, self.etcd_peer, self.apiserver):
            port.release()


def etcd(binary: Path, layout: Layout, ports: Ports, *, fsync: bool) -> Command:
    """etcd as a cluster of one, without TLS."""
    client, peer = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peer}"
    return [
        binary,
        "--name=controlplane",
        f"--data-dir={layout.etcd_data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=controlplane={peer}",
        "--socket-reuse-port",
        "--quota-backend-bytes=8589934592",
        "--log-level=warn",
        *([] if fsync else ["--unsafe-no-fsync"]),
    ]


def kube_apiserver(binary: Path, layout: Layout, ports: Ports) -> Command:
    """kube-apiserver with RBAC, static tokens, ServiceAccount tokens and the audit log."""
    return [
        binary,
        f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={ports.apiserver}",
        "--permit-port-sharing",
        # Without these two a graceful stop waits a minute for clients to end their watches.
        "--shutdown-send-retry-after",
        "--shutdown-watch-termination-grace-period=1s",
        "--endpoint-reconciler-type=none",
        f"--cert-dir={layout.certificates}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={layout.signing_key}",
        f"--service-account-signing-key-file={layout.signing_key}",
        f"--token-auth-file={layout.tokens}",
        "--authorization-mode=RBAC",
        # It would refuse every pod: nobody here mounts its token.
        "--disable-admission-plugins=ServiceAccount",
        f"--audit-policy-file={layout.audit_policy}",
        f"--audit-log-path={layout.audit_log}",
        # Megabytes: a log that is rotated would lose its beginning for the reader.
        "--audit-log-maxsize=100000",
    ]


CONTROLLERS = ("garbage-collector", "namespace", "resourcequota", "serviceaccount")
"""The controllers without which owner references, namespaces and quotas are mere words."""


def kube_controller_manager(binary: Path, kubeconfig: Path, *more: str) -> Command:
    """These controllers, and more if they are asked for."""
    return [
        binary,
        f"--kubeconfig={kubeconfig}",
        f"--controllers={','.join(f'{name}-controller' for name in (*CONTROLLERS, *more))}",
        "--leader-elect=false",
        "--secure-port=0",
    ]
