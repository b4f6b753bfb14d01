"""The API server, reached as kubectl reaches it.

Only this module and kubeconfig.py know the `kubernetes` package, and what it says never gets past them.
"""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import quote

from kubernetes import client, watch
from kubernetes.client.exceptions import ApiException
from pydantic import ValidationError
from urllib3.exceptions import HTTPError

from flow_operator.api.kinds import WORKFLOW_EXECUTION, Kind
from flow_operator.api.meta import GROUP, VERSION
from flow_operator.cli.errors import Cannot, Expired, Forbidden, NotThere, Unreachable
from flow_operator.cli.kubeconfig import Access, load
from flow_operator.cli.naming import listed
from flow_operator.cli.reachability import cause
from flow_operator.engine.definitions.definition import Definition

FIELD_MANAGER = "kubectl-flow"
"""Who the managed fields, and so `status.lastCommand.by`, say that wrote."""
WATCH_SECONDS = 60
_ANSWER_SECONDS = 30
NAMES = 500
"""Names that are read at most to list what is there."""
_RUNS = {"group": GROUP, "version": VERSION, "plural": WORKFLOW_EXECUTION.plural}
_REVISIONS = {"group": "apps", "version": "v1", "plural": "controllerrevisions"}

Object = dict[str, Any]


class Cluster:
    """The runs in one namespace of a cluster. Every method raises Cannot, with what a person can make use of."""

    def __init__(self, access: Access) -> None:
        configuration = client.Configuration()
        of_context = load(access, configuration)
        self.namespace = access.namespace or of_context
        self.options = access.options
        configuration.retries = False
        self._host = configuration.host
        try:
            self._client = client.ApiClient(configuration)
        except (OSError, ValueError):
            raise Cannot("the certificates or keys in your kubeconfig cannot be read: check them") from None
        self._api = client.CustomObjectsApi(self._client)

    def command(self, *words: str) -> str:
        """A command that reaches the same namespace of the same cluster, ready to be pasted."""
        return shlex.join([*words, *self.options, "-n", self.namespace])

    def run(self, name: str) -> Object:
        """A run as it is now."""
        return self._object(WORKFLOW_EXECUTION, name, "run")

    def definition_object(self, kind: Kind, name: str) -> Object:
        """A Workflow or Step as it is now."""
        return self._object(kind, name, kind.name)

    def names(self, kind: Kind) -> list[str]:
        """The names of the objects of a kind, some hundreds at most; none when they may not be listed."""
        path = f"/apis/{GROUP}/{VERSION}/namespaces/{quote(self.namespace, safe='')}/{kind.plural}?limit={NAMES}"
        header = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}
        try:
            self._client.update_params_for_auth(header, [], ["BearerToken"], path, "GET", None)
            answer = self._client.call_api("GET", f"{self._host}{path}", header, _request_timeout=_ANSWER_SECONDS)
            items = json.loads(answer.read())["items"]  # type: ignore[no-untyped-call]
            return [str(item["metadata"]["name"]) for item in items]
        except (ApiException, HTTPError, OSError, ValueError, KeyError, TypeError):
            return []

    def definition(self, run: Mapping[str, Any]) -> Definition | None:
        """What the run is pinned to; None when there is none (yet, or any more) or when it may not be read."""
        revision = (run.get("status") or {}).get("revision")
        if not revision:
            return None
        try:
            with self._told(f"no ControllerRevision {revision}"):
                found = self._ask(self._api.get_namespaced_custom_object, _REVISIONS, name=revision)
            return Definition.model_validate(found["data"]["definition"])
        except (Cannot, KeyError, TypeError, ValidationError):
            return None

    def create(self, run: Mapping[str, Any]) -> Object:
        """Create a run. What is not in the schema is refused."""
        create = self._api.create_namespaced_custom_object
        with self._told(f"no namespace {self.namespace}"):
            return self._ask(create, _RUNS, body=dict(run), field_manager=FIELD_MANAGER, field_validation="Strict")

    def annotate(self, name: str, annotations: Mapping[str, str]) -> Object:
        """Set annotations of a run, all in one write."""
        with self._named(WORKFLOW_EXECUTION, name, "run"):
            return self._ask(
                self._api.patch_namespaced_custom_object,
                _RUNS,
                name=name,
                body={"metadata": {"annotations": dict(annotations)}},
                field_manager=FIELD_MANAGER,
                _content_type="application/merge-patch+json",
            )

    def changes(self, name: str, version: str, seconds: int = WATCH_SECONDS) -> Iterator[Object]:
        """Each newer version of a run, for some seconds. Raises Expired; NotThere when the run is deleted."""
        with self._told(f"no run named {name} in namespace {self.namespace}"):
            events = watch.Watch().stream(  # type: ignore[no-untyped-call]
                self._api.list_namespaced_custom_object,
                **_RUNS,
                namespace=self.namespace,
                field_selector=f"metadata.name={name}",
                resource_version=version,
                timeout_seconds=seconds,
                _request_timeout=seconds + _ANSWER_SECONDS,
            )
            for event in events:
                if event["type"] == "DELETED":
                    raise NotThere(f"the run {name} was deleted")
                yield event["raw_object"]

    def _object(self, kind: Kind, name: str, called: str) -> Object:
        resource = {"group": GROUP, "version": VERSION, "plural": kind.plural}
        with self._named(kind, name, called):
            return self._ask(self._api.get_namespaced_custom_object, resource, name=name)

    @contextmanager
    def _named(self, kind: Kind, name: str, called: str) -> Iterator[None]:
        """A name that does not exist is answered with those that do."""
        missing = f"no {called} named {name} in namespace {self.namespace}"
        try:
            with self._told(missing, kind):
                yield
        except NotThere:
            raise NotThere(f"{missing}{listed(name, self.names(kind))}") from None

    def _ask(self, method: Callable[..., Any], resource: Mapping[str, str], **arguments: Any) -> Object:
        answer: Object = method(**resource, namespace=self.namespace, _request_timeout=_ANSWER_SECONDS, **arguments)
        return answer

    @contextmanager
    def _told(self, missing: str, kind: Kind = WORKFLOW_EXECUTION) -> Iterator[None]:
        """Whatever the API server or the way to it says, as one line for a person."""
        try:
            yield
        except ApiException as error:
            self._refused(error, missing, kind)
        except (HTTPError, OSError) as error:
            raise Unreachable(f"the API server at {self._host} cannot be reached: {cause(error)}") from None

    def _refused(self, error: ApiException, missing: str, kind: Kind) -> NoReturn:
        said = _status_message(error)
        if error.status == 410:
            raise Expired
        if error.status == 404 and said is None:
            raise Cannot(f"the cluster at {self._host} does not know {kind.name}s: install the CRDs first")
        if error.status == 404:
            raise NotThere(missing)
        if error.status == 401:
            raise Cannot(
                f"the cluster at {self._host} does not accept your credentials: they may have expired. Log in again, "
                f"and check with: {shlex.join(['kubectl', 'auth', 'whoami', *self.options])}"
            )
        if error.status == 403:
            check = self.command("kubectl", "auth", "can-i", "--list")
            raise Forbidden(f"you are not permitted to do this: {said or 'forbidden'}. What you may do: {check}")
        busy = (error.status or 500) >= 500 or error.status == 429
        kind_of_error = Unreachable if busy else Cannot
        raise kind_of_error(f"the API server refused: {said or f'HTTP {error.status}'}") from None


def _status_message(error: ApiException) -> str | None:
    """The message of the Status object that the API server answered with; None when it was none."""
    try:
        message = json.loads(error.body or "")["message"]
    except (ValueError, KeyError, TypeError):
        # A watch tells its errors in the stream, and the client keeps only their text.
        return None if error.body else error.reason
    return str(message)
