"""Who may speak to the API server: static tokens, the key that signs ServiceAccount tokens, and kubeconfig files."""

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ADMIN = "admin"
CONTROLLER_MANAGER = "system:kube-controller-manager"
PROBE = "controlplane-probe"


class StaticTokens:
    """One random token for each of the control plane's own users, all of them cluster administrators.

    They differ by name so that the audit log tells them apart.
    """

    def __init__(self) -> None:
        self._tokens = {user: secrets.token_hex(16) for user in (ADMIN, CONTROLLER_MANAGER, PROBE)}

    def __getitem__(self, user: str) -> str:
        return self._tokens[user]

    def write(self, path: Path) -> None:
        """Write the file that `--token-auth-file` reads."""
        rows = (f'{token},{user},{user},"system:masters"\n' for user, token in self._tokens.items())
        write_private(path, "".join(rows))


def write_signing_key(path: Path) -> None:
    """Write a new P-256 private key, which serves kube-apiserver both to sign and to verify."""
    # The standard library makes no keys. A SEC 1 key needs only the secret number: Go computes the public half itself.
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    number = (secrets.randbelow(order - 1) + 1).to_bytes(32, "big")
    named_curve = bytes.fromhex("a00a06082a8648ce3d030107")
    body = bytes.fromhex("020101") + b"\x04\x20" + number + named_curve
    der = b"\x30" + bytes([len(body)]) + body
    pem = base64.b64encode(der).decode()
    write_private(path, f"-----BEGIN EC PRIVATE KEY-----\n{pem}\n-----END EC PRIVATE KEY-----\n")


def write_kubeconfig(path: Path, cluster: Mapping[str, Any], token: str) -> None:
    """Write a kubeconfig for one cluster (in kubeconfig's own words) and one bearer token."""
    name = "flow"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": dict(cluster)}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    write_private(path, yaml.safe_dump(config, sort_keys=False))


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, and nobody can see half written."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.replace(path)
