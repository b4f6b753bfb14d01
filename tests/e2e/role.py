"""The ServiceAccount and the Role that the operator is installed with, as examples/install has them.

A test installs them into its own namespace: the rules are the same, bound in that namespace only, so that an operator
which reaches further is refused, and the audit log shows it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml
from tests.controlplane import eventually
from tests.e2e.kube import ApiError, Kube, Object

MANIFEST = Path(__file__).parents[2] / "examples" / "install" / "rbac.yaml"
ACCOUNT = "flow-operator"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who an operator is."""

    namespace: str
    token: str

    @property
    def user(self) -> str:
        """Its name in the audit log."""
        return f"system:serviceaccount:{self.namespace}:{ACCOUNT}"


def documents() -> list[Object]:
    """The objects that a person would apply."""
    return list(yaml.safe_load_all(MANIFEST.read_text()))


def install(kube: Kube, namespace: str) -> ServiceAccount:
    """Install the operator's rights into a namespace."""
    for document in _documents_for(namespace):
        try:
            kube.create(document)
        except ApiError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise
    request = {"spec": {"expirationSeconds": 24 * 3600}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{ACCOUNT}/token"
    account = ServiceAccount(namespace, kube.request("POST", path, request)["status"]["token"])
    eventually(lambda: _may_begin(kube, account), within=10, what="the operator's Role in force")
    return account


def _documents_for(namespace: str) -> Iterator[Object]:
    for document in documents():
        kind = document["kind"]
        if kind == "Namespace":
            continue
        metadata: dict[str, Any] = {"name": document["metadata"]["name"]}
        if kind == "ClusterRoleBinding":
            # Only here: everything in one namespace, instead of the whole cluster.
            document["kind"] = "RoleBinding"
            metadata["name"] += "-definitions-and-runs"
        if kind != "ClusterRole":
            metadata["namespace"] = namespace
        for subject in document.get("subjects", ()):
            subject["namespace"] = namespace
        yield {**document, "metadata": metadata}


def _may_begin(kube: Kube, account: ServiceAccount) -> bool:
    """Whether the API server knows of the bindings by now: it learns of them a moment after they are stored."""
    needed = (("flow.unistack.org", "steps", "list"), ("coordination.k8s.io", "leases", "create"))
    return all(_allowed(kube, account, *each) for each in needed)


def _allowed(kube: Kube, account: ServiceAccount, group: str, resource: str, verb: str) -> bool:
    attributes = {"namespace": account.namespace, "group": group, "resource": resource, "verb": verb}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": account.user, "groups": ["system:serviceaccounts"], "resourceAttributes": attributes},
    }
    answer = kube.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])
