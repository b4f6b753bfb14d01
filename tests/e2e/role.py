"""The ServiceAccount and the Roles that the operator is installed with, as the chart has them.

A test installs them for its own namespace only, so that an operator which reaches further is refused, and the audit log
shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tests.controlplane import eventually
from tests.e2e.kube import ApiError, Kube, Object
from tests.helm.chart import RELEASE, rendered

ACCOUNT = RELEASE
KINDS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who an operator is."""

    namespace: str
    token: str

    @property
    def user(self) -> str:
        """Its name in the audit log."""
        return f"system:serviceaccount:{self.namespace}:{ACCOUNT}"


def documents(installed: str, watched: Sequence[str]) -> list[Object]:
    """What the chart installs into a namespace for an operator that watches these namespaces, all if there are none."""
    values = {"settings": {"namespaces": list(watched)}, "userRoles": {"create": False}}
    return [each for each in rendered(values, namespace=installed) if each["kind"] in KINDS]


def install(kube: Kube, namespace: str, *more: str) -> ServiceAccount:
    """Install the operator into a namespace, with rights for that namespace and for these."""
    for document in documents(namespace, [namespace, *more]):
        try:
            kube.create(document)
        except ApiError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise
    account = ServiceAccount(namespace, new_token(kube, namespace))
    eventually(lambda: _may_begin(kube, account, namespace, *more), within=10, what="the operator's Role in force")
    return account


def new_token(kube: Kube, namespace: str, **spec: Any) -> str:
    """Another token of the operator's account in a namespace."""
    request = {"spec": {"expirationSeconds": 24 * 3600, **spec}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{ACCOUNT}/token"
    token: str = kube.request("POST", path, request)["status"]["token"]
    return token


def may_write_statuses(kube: Kube, account: ServiceAccount) -> bool:
    """Whether the API server would let it write the status of a run at this moment."""
    return _allowed(kube, account, "flow.unistack.org", "workflowexecutions", "update", subresource="status")


def _may_begin(kube: Kube, account: ServiceAccount, *watched: str) -> bool:
    """Whether the API server knows of the bindings by now: it learns of them a moment after they are stored."""
    needed = (
        ("coordination.k8s.io", "leases", "create", account.namespace),
        ("discovery.k8s.io", "endpointslices", "list", "default"),
        *(("flow.unistack.org", "steps", "list", each) for each in watched),
    )
    return all(_allowed(kube, account, *what, namespace=where) for *what, where in needed)


def _allowed(
    kube: Kube,
    account: ServiceAccount,
    group: str,
    resource: str,
    verb: str,
    *,
    subresource: str = "",
    namespace: str = "",
) -> bool:
    what = {"group": group, "resource": resource, "subresource": subresource, "verb": verb}
    attributes = {"namespace": namespace or account.namespace, **what}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": account.user, "groups": ["system:serviceaccounts"], "resourceAttributes": attributes},
    }
    answer = kube.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])
