"""The API server as the administrator's programs reach it: objects in, objects out.

Tests use kubectl where a person would type it, and this everywhere else: it costs no process.
"""

import base64
import json
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

Object = dict[str, Any]

FLOW = "/apis/flow.unistack.org/v1alpha1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
GROUPS = {
    "steps": FLOW,
    "workflows": FLOW,
    "workflowexecutions": FLOW,
    "controllerrevisions": "/apis/apps/v1",
    "resourcequotas": "/api/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "events": "/api/v1",
    "namespaces": "/api/v1",
    "serviceaccounts": "/api/v1",
    "clusterroles": RBAC,
    "clusterrolebindings": RBAC,
    "roles": RBAC,
    "rolebindings": RBAC,
}
TIMEOUT = 20


class ApiError(Exception):
    """The API server said no; the message is what it said."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code


class Kube:
    """One user of a control plane; a context manager that closes its connection."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        server = urlsplit(cluster["server"])
        trust = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode("ascii")
        )
        self._connection = HTTPSConnection(server.hostname or "", server.port, timeout=TIMEOUT, context=trust)
        self._token = config["users"][0]["user"]["token"]

    def __enter__(self) -> "Kube":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, plural: str, namespace: str, name: str) -> Object | None:
        """The object, None if there is none."""
        try:
            return self.request("GET", _path(plural, namespace, name))
        except ApiError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return None
            raise

    def list(self, plural: str, namespace: str) -> list[Object]:
        """All objects of a kind in a namespace."""
        items: list[Object] = self.request("GET", _path(plural, namespace))["items"]
        return items

    def create(self, document: Mapping[str, Any], namespace: str = "") -> Object:
        """Create an object as `kubectl create` does, with strict validation."""
        plural = f"{document['kind'].lower()}s"
        within = namespace or document["metadata"].get("namespace", "")
        return self.request("POST", f"{_path(plural, within)}?fieldValidation=Strict", document)

    def patch(self, plural: str, namespace: str, name: str, patch: Mapping[str, Any], subresource: str = "") -> Object:
        """Merge a patch into an object."""
        return self.request("PATCH", _path(plural, namespace, name) + subresource, patch)

    def delete(self, plural: str, namespace: str, name: str) -> None:
        """Delete an object."""
        self.request("DELETE", _path(plural, namespace, name))

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Object:
        """Any request; the JSON of its answer. Raises ApiError, and OSError if the server is away."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        header = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", "Content-Type": kind}
        code, answer = self._answer(method, path, None if body is None else json.dumps(body).encode(), header)
        if code >= HTTPStatus.MULTIPLE_CHOICES:
            raise ApiError(code, _message(answer))
        document: Object = json.loads(answer)
        return document

    def _answer(self, method: str, path: str, data: bytes | None, header: Mapping[str, str]) -> tuple[int, bytes]:
        """Code and body of the answer, over a new connection if a server that was restarted has closed the old one."""
        kept = self._connection.sock is not None
        try:
            self._connection.request(method, path, data, header)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException):
            self._connection.close()
            if kept:
                return self._answer(method, path, data, header)
            raise


def _path(plural: str, namespace: str, name: str = "") -> str:
    within = f"/namespaces/{namespace}" if namespace else ""
    return f"{GROUPS[plural]}{within}/{plural}" + (f"/{name}" if name else "")


def _message(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError):
        return answer.decode(errors="replace")
