"""The CRDs as a real API server takes them: what it refuses, fills in, shows and keeps (semantics: Definitions)."""

import json
from typing import Any

import pytest
from tests.api.objects_table import Refused, accepted, complete, refused, steps
from tests.controlplane import Cluster, KubectlError

from flow_operator.api.kinds import KINDS
from flow_operator.api.meta import GROUP

pytestmark = pytest.mark.e2e

RUN = complete(
    {
        "kind": "WorkflowExecution",
        "spec": {"workflowRef": {"name": "order"}, "input": {"body": {"a": [1, {"b": None}]}}},
    }
)


def create(cluster: Cluster, document: dict[str, Any], *options: str) -> dict[str, Any]:
    """What the API server made of an object; KubectlError if it refused it."""
    printed = cluster.kubectl("create", "-f", "-", "-o", "json", *options, stdin=json.dumps(document))
    made: dict[str, Any] = json.loads(printed)
    return made


def refusal(cluster: Cluster, *arguments: str, stdin: str | None = None) -> str:
    """What kubectl says when the API server refuses."""
    with pytest.raises(KubectlError) as caught:
        cluster.kubectl(*arguments, stdin=stdin)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_crd_is_served_without_complaint(cluster: Cluster, kind: Any) -> None:
    crd = json.loads(cluster.kubectl("get", "crd", f"{kind.plural}.{GROUP}", "-o", "json"))
    conditions = {condition["type"]: condition["status"] for condition in crd["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}


@pytest.mark.parametrize("document", accepted(), ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_accepted(cluster: Cluster, document: dict[str, Any]) -> None:
    made = create(cluster, document, "--dry-run=server")
    assert given(document["spec"], made["spec"])


def given(wanted: Any, found: Any) -> bool:
    """Whether all that was given is found, defaults aside."""
    if isinstance(wanted, dict):
        return all(key in found and given(value, found[key]) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(wanted) == len(found) and all(map(given, wanted, found))
    return bool(wanted == found)


def test_two_hundred_steps_are_accepted(cluster: Cluster) -> None:
    assert len(create(cluster, steps(200), "--dry-run=server")["spec"]["steps"]) == 200


@pytest.mark.parametrize("case", refused(), ids=lambda case: case.why)
def test_refused(cluster: Cluster, case: Refused) -> None:
    message = refusal(cluster, "create", "--dry-run=server", "-f", "-", stdin=json.dumps(case.object))
    assert case.field in message
    assert case.message in message


def test_all_that_the_schema_refuses_is_said_at_once(cluster: Cluster) -> None:
    wrong = complete({"kind": "Workflow", "spec": {"steps": [{"id": "A"}, {"id": "b", "requires": ["C"]}]}})
    message = refusal(cluster, "create", "--dry-run=server", "-f", "-", stdin=json.dumps(wrong))
    for field in ("spec.steps[0].id", "spec.steps[1].requires[0]", "spec.steps[0]: Invalid", "spec.steps[1]: Invalid"):
        assert field in message


def test_the_default_status_is_there_on_create(cluster: Cluster, namespace: str) -> None:
    definition = complete({"kind": "Workflow", "spec": {"steps": [{"id": "a", "stepRef": {"name": "a"}}]}})
    assert create(cluster, RUN, "-n", namespace)["status"] == {"observedGeneration": -1, "phase": "Pending"}
    assert create(cluster, definition, "-n", namespace)["status"] == {"observedGeneration": -1}


def test_defaults_are_filled_in_where_the_parent_is_given(cluster: Cluster) -> None:
    step = {"kind": "Step", "spec": {"endpoint": {"url": "http://a"}, "retry": {"backoff": {}}, "outcome": {}}}
    spec = create(cluster, complete(step), "--dry-run=server")["spec"]
    assert spec == {
        "endpoint": {"url": "http://a", "httpMethod": "POST", "port": 80},
        "retry": {"limit": 3, "backoff": {"duration": "1s", "factor": 2, "cap": "1m", "jitter": 0.5}},
        "outcome": {"success": ["2xx"], "retry": [408, 425, 429, "5xx"], "failureEffect": "None"},
    }


CHANGES = {
    "another Workflow": ({"workflowRef": {"name": "other"}}, "spec.workflowRef", "workflowRef is immutable"),
    "a body changed": ({"input": {"body": {"a": [1, 2]}}}, "spec.input", "input is immutable"),
    "a null deep in a body": ({"input": {"body": {"a": [1, {}]}}}, "spec.input", "input is immutable"),
    "a body taken away": ({"input": {"body": None}}, "spec.input", "input is immutable"),
    "a header added": ({"input": {"header": {"x-a": "1"}}}, "spec.input", "input is immutable"),
    "the input taken away": ({"input": None}, "spec.input", "input is immutable"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_cannot_be_changed(cluster: Cluster, namespace: str, change: str) -> None:
    spec, field, words = CHANGES[change]
    create(cluster, RUN, "-n", namespace)
    patch = json.dumps({"spec": spec})
    message = refusal(cluster, "patch", "fwx", "some-name", "-n", namespace, "--type=merge", "-p", patch)
    assert f"{field}: Invalid value: {words}" in message


def test_an_input_cannot_be_given_later(cluster: Cluster, namespace: str) -> None:
    create(cluster, complete({"kind": "WorkflowExecution", "spec": {"workflowRef": {"name": "a"}}}), "-n", namespace)
    patch = '{"spec": {"input": {"body": 1}}}'
    message = refusal(cluster, "patch", "fwx", "some-name", "-n", namespace, "--type=merge", "-p", patch)
    assert "spec.input: Invalid value: input is immutable" in message


def test_a_run_can_be_suspended_and_annotated(cluster: Cluster, namespace: str) -> None:
    create(cluster, RUN, "-n", namespace)
    cluster.kubectl("patch", "fwx", "some-name", "-n", namespace, "--type=merge", "-p", '{"spec": {"suspend": true}}')
    cluster.kubectl("annotate", "fwx", "some-name", "-n", namespace, f"{GROUP}/command=resume")
    assert cluster.kubectl("get", "fwx", "some-name", "-n", namespace, "-o", "jsonpath={.spec.suspend}") == "true"


STATUS = {
    "observedGeneration": 1,
    "phase": "Success",
    "reason": "Succeeded",
    "progress": "3/3",
    "startTime": "2026-01-02T03:04:05.123456Z",
    "duration": "3s",
    "revision": "order-0123456789ab",
    "compensation": {"phase": "NotNeeded"},
    "output": {"body": {"list": [None, {"deep": None}]}},
    "steps": [{"id": "a", "phase": "Success", "fieldOfANewerOperator": {"x": [1, None]}}],
}


def put_status(cluster: Cluster, namespace: str, made: dict[str, Any], status: dict[str, Any]) -> None:
    """Write a status as the operator does."""
    path = f"/apis/{made['apiVersion']}/namespaces/{namespace}/{made['kind'].lower()}s/some-name/status"
    cluster.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps({**made, "status": status}))


def test_a_status_keeps_fields_of_steps_that_the_crd_does_not_know(cluster: Cluster, namespace: str) -> None:
    put_status(cluster, namespace, create(cluster, RUN, "-n", namespace), STATUS)
    assert json.loads(cluster.kubectl("get", "fwx", "some-name", "-n", namespace, "-o", "json"))["status"] == STATUS


def test_a_status_is_one_value_in_managed_fields(cluster: Cluster, namespace: str) -> None:
    put_status(cluster, namespace, create(cluster, RUN, "-n", namespace), STATUS)
    run = json.loads(cluster.kubectl("get", "fwx", "some-name", "-n", namespace, "-o", "json", "--show-managed-fields"))
    entries = [entry["fieldsV1"] for entry in run["metadata"]["managedFields"] if entry.get("subresource") == "status"]
    assert entries == [{"f:status": {}}]


def test_columns(cluster: Cluster, namespace: str) -> None:
    put_status(cluster, namespace, create(cluster, RUN, "-n", namespace), STATUS)
    heading, row = cluster.kubectl("get", "fwx", "-n", namespace, "-o", "wide").splitlines()
    columns = ["NAME", "WORKFLOW", "PHASE", "COMPENSATION", "STEPS", "REASON", "AGE"]
    assert heading.split() == [*columns, "WAITING", "STARTED", "DURATION", "REVISION", "MESSAGE"]
    assert row.split()[:6] == ["some-name", "order", "Success", "NotNeeded", "3/3", "Succeeded"]
    assert row.split()[-2:] == ["3s", "order-0123456789ab"]
    assert cluster.kubectl("get", "fwx", "-n", namespace).splitlines()[0].split() == columns


def test_columns_of_definitions(cluster: Cluster, namespace: str) -> None:
    made = create(cluster, complete({"kind": "Step", "spec": {"endpoint": {"url": "http://a"}}}), "-n", namespace)
    ready = {"type": "Ready", "status": "False", "reason": "InvalidStep", "message": "no"}
    status = {"observedGeneration": 1, "conditions": [{**ready, "lastTransitionTime": "2026-01-02T03:04:05Z"}]}
    put_status(cluster, namespace, made, status)
    heading, row = cluster.kubectl("get", "fstep", "-n", namespace, "-o", "wide").splitlines()
    assert heading.split() == ["NAME", "READY", "REASON", "AGE", "MESSAGE"]
    assert row.split()[:3] == ["some-name", "False", "InvalidStep"]


def test_the_category_lists_all_kinds(cluster: Cluster, namespace: str) -> None:
    create(cluster, RUN, "-n", namespace)
    create(cluster, complete({"kind": "Step", "spec": {"endpoint": {"url": "http://a"}}}), "-n", namespace)
    listed = cluster.kubectl("get", "flow", "-n", namespace, "-o", "name").splitlines()
    assert sorted(listed) == [f"step.{GROUP}/some-name", f"workflowexecution.{GROUP}/some-name"]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("status.phase=Pending", True),
        ("status.phase=Success", False),
        ("spec.workflowRef.name=order,status.phase!=Running", True),
        ("spec.workflowRef.name=other", False),
    ],
)
def test_runs_are_selected_by_field(cluster: Cluster, namespace: str, selector: str, *, found: bool) -> None:
    create(cluster, RUN, "-n", namespace)
    listed = cluster.kubectl("get", "fwx", "-n", namespace, "--field-selector", selector, "-o", "name")
    assert bool(listed) == found


def test_explain_reads_well(cluster: Cluster) -> None:
    retry = cluster.kubectl("explain", "fwf.spec.steps.retry")
    assert "How often, and how soon, the call is tried again" in retry
    assert "Retries after the first attempt: 0 is none, -1 is without limit. Default: 3." in retry
    steps_of_a_run = cluster.kubectl("explain", "fwx.status.steps")
    assert "- effect: What may have happened at the service" in steps_of_a_run
