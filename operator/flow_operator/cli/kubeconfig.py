"""Where the API server is and who asks, as kubectl reads it: from kubeconfig files, or in a pod.

What is wrong with a kubeconfig is told here in words of its own, before the client of the API server sees it.
"""

import binascii
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import config

from flow_operator.cli.errors import Cannot
from flow_operator.cli.naming import listed

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_UNUSABLE = (config.ConfigException, yaml.YAMLError, OSError, KeyError, TypeError, ValueError, binascii.Error)


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the cluster, as given on the command line; None is what kubectl takes then."""

    namespace: str | None = None
    context: str | None = None
    kubeconfig: str | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The options that lead another command to the same cluster."""
        given = (("--context", self.context), ("--kubeconfig", self.kubeconfig))
        return tuple(word for name, value in given if value is not None for word in (name, value))


def load(access: Access, configuration: Any) -> str:
    """Fill in how to reach the cluster; returns the namespace of the context. Raises Cannot."""
    files = access.kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    existing = [file for file in files.split(os.pathsep) if Path(file).is_file()]
    if not existing and not access.kubeconfig:
        return _in_cluster(files, configuration)
    if not existing:
        raise Cannot(f"kubeconfig {files}: there is no such file")
    documents = [_read(file) for file in existing]
    context = access.context or next((each["current-context"] for each in documents if each.get("current-context")), "")
    chosen = _context(files, documents, context)
    _silence_client()
    try:
        config.load_kube_config(os.pathsep.join(existing), context, configuration, persist_config=False)  # type: ignore[no-untyped-call]
    except _UNUSABLE:
        raise Cannot(
            f"kubeconfig {files}: the context {context} cannot be used: check its cluster "
            f"({chosen.get('cluster')}) and its user ({chosen.get('user')}) with kubectl config view"
        ) from None
    _check_credentials(files, documents, chosen, configuration)
    return str(chosen.get("namespace") or "default")


def _read(file: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(Path(file).read_bytes())
    except OSError as error:
        raise Cannot(f"kubeconfig {file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise Cannot(f"kubeconfig {file}: it is not YAML: compare it with what kubectl config view prints") from None
    if not isinstance(found, dict):
        raise Cannot(f"kubeconfig {file}: it is not a kubeconfig: clusters, users and contexts are missing")
    return found


def _entries(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The entries of one kind by name; where two files have one, the first counts."""
    found: dict[str, Any] = {}
    for document in documents:
        entries = document.get(kind)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                found.setdefault(entry["name"], entry.get(kind.removesuffix("s")) or {})
    return found


def _context(files: str, documents: list[dict[str, Any]], name: str) -> dict[str, Any]:
    contexts = _entries(documents, "contexts")
    if not contexts:
        raise Cannot(f"kubeconfig {files}: it has no contexts: name another with --kubeconfig or KUBECONFIG")
    if not name:
        there = listed(name, contexts)
        raise Cannot(f"kubeconfig {files}: no context is chosen: use --context, or kubectl config use-context{there}")
    if not isinstance(contexts.get(name), dict):
        raise Cannot(f"kubeconfig {files}: there is no context {name}{listed(name, contexts)}")
    chosen: dict[str, Any] = contexts[name]
    for kind in ("cluster", "user"):
        wanted, known = str(chosen.get(kind)), _entries(documents, f"{kind}s")
        if wanted not in known:
            said = listed(wanted, known)
            raise Cannot(f"kubeconfig {files}: the context {name} names the {kind} {wanted}, which is not there{said}")
    return chosen


def _check_credentials(files: str, documents: list[dict[str, Any]], chosen: dict[str, Any], configuration: Any) -> None:
    """The client goes on without credentials when the command that should give them fails."""
    user = _entries(documents, "users").get(chosen.get("user", ""))
    command = (
        user.get("exec", {}).get("command") if isinstance(user, dict) and isinstance(user.get("exec"), dict) else None
    )
    if command and not configuration.api_key and not configuration.cert_file:
        raise Cannot(f"kubeconfig {files}: the command {command} gave no credentials: run kubectl version to see why")


def _silence_client() -> None:
    """The client logs through the root logger what is told here in one line."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())


def _in_cluster(files: str, configuration: Any) -> str:
    """In a pod, as kubectl does it."""
    try:
        config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
        return (_SERVICE_ACCOUNT / "namespace").read_text(encoding="utf-8").strip() or "default"
    except (config.ConfigException, OSError):
        raise Cannot(f"there is no kubeconfig ({files}): name one with --kubeconfig or KUBECONFIG") from None
