"""The API server, reached as kubectl reaches it. The only module here that knows the `kubernetes` package."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException
from pydantic import ValidationError
from urllib3.exceptions import HTTPError

from flow_operator.api.kinds import WORKFLOW_EXECUTION
from flow_operator.api.meta import GROUP, VERSION
from flow_operator.cli.errors import Cannot, Expired, NotThere, Unreachable
from flow_operator.engine.definition import Definition

FIELD_MANAGER = "kubectl-flow"
"""Who the managed fields, and so `status.lastCommand.by`, say that wrote."""
WATCH_SECONDS = 60
_ANSWER_SECONDS = 30
_RUNS = {"group": GROUP, "version": VERSION, "plural": WORKFLOW_EXECUTION.plural}
_REVISIONS = {"group": "apps", "version": "v1", "plural": "controllerrevisions"}

Object = dict[str, Any]


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


class Cluster:
    """The runs in one namespace of a cluster. Every method raises Cannot, with what a person can make use of."""

    def __init__(self, access: Access) -> None:
        configuration = client.Configuration()
        of_context = _load(access, configuration)
        self.namespace = access.namespace or of_context
        self.options = access.options
        configuration.retries = False
        self._host = configuration.host
        self._api = client.CustomObjectsApi(client.ApiClient(configuration))

    def run(self, name: str) -> Object:
        """A run as it is now."""
        with self._told(f"no run named {name} in namespace {self.namespace}"):
            return self._ask(self._api.get_namespaced_custom_object, _RUNS, name=name)

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
        with self._told(f"no run named {name} in namespace {self.namespace}"):
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

    def _ask(self, method: Callable[..., Any], resource: Mapping[str, str], **arguments: Any) -> Object:
        answer: Object = method(**resource, namespace=self.namespace, _request_timeout=_ANSWER_SECONDS, **arguments)
        return answer

    @contextmanager
    def _told(self, missing: str) -> Iterator[None]:
        """Whatever the API server or the way to it says, as one line for a person."""
        try:
            yield
        except ApiException as error:
            self._refused(error, missing)
        except (HTTPError, OSError) as error:
            raise Unreachable(f"the API server at {self._host} cannot be reached: {_cause(error)}") from None

    def _refused(self, error: ApiException, missing: str) -> NoReturn:
        said = _status_message(error)
        if error.status == 410:
            raise Expired
        if error.status == 404 and said is None:
            raise Cannot(f"the cluster at {self._host} does not know WorkflowExecutions: install the CRDs first")
        if error.status == 404:
            raise NotThere(missing)
        if error.status == 401:
            raise Cannot(f"the cluster at {self._host} does not accept your credentials: {said or error.reason}")
        kind = Unreachable if (error.status or 500) >= 500 or error.status == 429 else Cannot
        raise kind(f"the API server says no: {said or f'{error.status} {error.reason}'}") from None


def _load(access: Access, configuration: Any) -> str:
    """Fill in how to reach the cluster; returns the namespace of the context."""
    files = access.kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    try:
        if not access.kubeconfig and not any(Path(file).is_file() for file in files.split(os.pathsep)):
            return _load_in_cluster(files, configuration)
        config.load_kube_config(files, access.context, configuration, persist_config=False)  # type: ignore[no-untyped-call]
        contexts, current = config.list_kube_config_contexts(files)  # type: ignore[no-untyped-call]
    except (config.ConfigException, yaml.YAMLError, OSError) as error:
        raise Cannot(f"kubeconfig {files}: {' '.join(str(error).split())}") from None
    chosen = next((each for each in contexts if each["name"] == access.context), current)
    namespace: str | None = chosen["context"].get("namespace")
    return namespace or "default"


def _load_in_cluster(files: str, configuration: Any) -> str:
    """In a pod, as kubectl does it."""
    folder = Path("/var/run/secrets/kubernetes.io/serviceaccount")
    try:
        config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
        return (folder / "namespace").read_text(encoding="utf-8").strip() or "default"
    except (config.ConfigException, OSError):
        raise Cannot(f"there is no kubeconfig ({files}): name one with --kubeconfig or KUBECONFIG") from None


def _status_message(error: ApiException) -> str | None:
    """The message of the Status object that the API server answered with; None when it was none."""
    try:
        message = json.loads(error.body or "")["message"]
    except (ValueError, KeyError, TypeError):
        # A watch tells its errors in the stream, and the client keeps only their text.
        return None if error.body else error.reason
    return str(message)


def _cause(error: BaseException) -> str:
    """The innermost reason, without the names of objects in memory."""
    while (inner := getattr(error, "reason", None) or error.__cause__ or error.__context__) is not None:
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = str(error) or type(error).__name__
    return text.split(">: ")[-1]
