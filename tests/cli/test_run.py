"""`run` on a real API server: the input arrives exactly as it was written."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.operator import Operator
from tests.cli.person import Person
from tests.controlplane import Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def made(cluster: Cluster, namespace: str) -> Callable[[str], Any]:
    """The run of this name."""
    return lambda name: json.loads(cluster.kubectl("get", "fwx", name.strip(), "-n", namespace, "-o", "json"))


def test_it_prints_the_name_that_the_api_server_gave(person: Person, made: Any) -> None:
    said = person.flow("run", "order", "--no-follow")
    assert said.code == 0
    assert re.fullmatch(r"order-[a-z0-9]{5}\n", said.out)
    assert made(said.out)["spec"] == {"suspend": False, "workflowRef": {"name": "order"}}


@pytest.mark.parametrize(
    ("text", "options", "stored"),
    [
        ('{"amount": 42}', (), {"body": {"amount": 42}}),
        ("amount: 42\nitems: [a, b]\n", (), {"body": {"amount": 42, "items": ["a", "b"]}}),
        ('{"amount": 0.10}', (), {"rawBody": '{"amount":0.10}'}),
        ("amount: 1e400\n", (), {"rawBody": '{"amount":1e400}'}),
        ('{"amount": 42}\n', ("--raw",), {"rawBody": '{"amount": 42}'}),
        ("null", (), {"rawBody": "null"}),
        (
            "7",
            ("--header", "x-tenant=acme", "--header", "a=b=c"),
            {"body": 7, "header": {"x-tenant": "acme", "a": "b=c"}},
        ),
    ],
)
def test_the_input_is_stored_exactly(
    person: Person, made: Any, text: str, options: tuple[str, ...], stored: object
) -> None:
    said = person.flow("run", "order", "--input", "-", "--no-follow", *options, stdin=text)
    assert said.code == 0
    assert made(said.out)["spec"]["input"] == stored


def test_a_file_and_a_name(person: Person, made: Any, tmp_path: Path) -> None:
    file = tmp_path / "input.yaml"
    file.write_text("orderId: 7\n")
    said = person.flow("run", "order", "--input", str(file), "--name", "order-7", "--no-follow")
    assert (said.code, said.out) == (0, "order-7\n")
    assert made("order-7")["spec"]["input"] == {"body": {"orderId": 7}}
    again = person.flow("run", "order", "--name", "order-7", "--no-follow")
    assert again.code == 2
    assert again.err.endswith(
        'error: the API server refused: workflowexecutions.flow.unistack.org "order-7" already exists\n'
    )


@pytest.mark.parametrize(
    ("text", "options", "error"),
    [
        ("a: [1", (), "-: line 1: "),
        ("a: 1\na: 2\n", (), "-: line 2: the key 'a' is there twice, first in line 1"),
        ("", (), "-: it must hold one value, not 0"),
        ("--- 1\n--- 2\n", (), "-: it must hold one value, not 2"),
        (
            "apiVersion: flow.unistack.org/v1alpha1\nkind: WorkflowExecution\nspec: {workflowRef: {name: order}}\n",
            (),
            "-: this is the manifest of a WorkflowExecution, not the body of an input: create it",
        ),
        ('"' + "x" * 131072 + '"', (), "-: the input of a run has at most 128 KiB"),
        ("1", ("--header", "host=a"), "--header: the header host is set by Flow itself"),
        (
            "1",
            ("--name", "Order"),
            'the API server refused: WorkflowExecution.flow.unistack.org "Order" is invalid',
        ),
    ],
)
def test_what_cannot_be_run(person: Person, text: str, options: tuple[str, ...], error: str) -> None:
    said = person.flow("run", "order", "--input", "-", "--no-follow", *options, stdin=text)
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[-1].startswith(f"error: {error}")
    assert said.err.count("error: ") == 1


WORKFLOW = {
    "apiVersion": "flow.unistack.org/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "order"},
    "spec": {"steps": [{"id": "a", "endpoint": {"url": "http://a"}}]},
}


def define(cluster: Cluster, namespace: str, ready: str | None = None) -> None:
    """A Workflow, as the operator has judged it, or not yet."""
    cluster.kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(WORKFLOW))
    if ready is not None:
        condition: dict[str, Any] = {
            "type": "Ready",
            "status": ready,
            "reason": "InvalidWorkflow",
            "message": "1 finding",
        }
        condition |= {"observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}
        finding = {"path": "spec.steps[0]", "reason": "InvalidField", "message": "it is wrong"}
        status = {"status": {"observedGeneration": 1, "conditions": [condition], "findings": [finding]}}
        patch = ("patch", "fwf", "order", "-n", namespace, "--subresource=status", "--type=merge")
        cluster.kubectl(*patch, "-p", json.dumps(status))


def test_off_a_terminal_a_workflow_that_is_not_there_ends_it(person: Person, cluster: Cluster, namespace: str) -> None:
    define(cluster, namespace)
    said = person.flow("run", "ordr")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        f"error: no Workflow named ordr in namespace {namespace}: did you mean order?; no run was created\n"
    )
    assert cluster.kubectl("get", "fwx", "-n", namespace, "-o", "name") == ""


def test_off_a_terminal_a_workflow_that_is_not_ready_ends_it(person: Person, cluster: Cluster, namespace: str) -> None:
    define(cluster, namespace, "False")
    said = person.flow("run", "order")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "error: the Workflow order is not ready: InvalidWorkflow: spec.steps[0]: it is wrong "
        f"(kubectl describe fwf order -n {namespace}); no run was created\n"
    )


@pytest.mark.usefixtures("cluster")
def test_on_a_terminal_it_is_told_and_the_run_waits(person: Person) -> None:
    terminal = person.at_terminal("run", "order", "--timeout", "1s")
    terminal.read_until("the run waits until that is mended")
    assert terminal.end() == 2


def test_a_workflow_that_the_operator_has_not_judged_yet_is_run(
    person: Person, cluster: Cluster, namespace: str
) -> None:
    define(cluster, namespace)
    said = person.flow("run", "order", "--timeout", "1s", "--name", "order-1")
    assert said.code == 2
    assert said.err.startswith("error: order-1 has not ended in 1s")


def test_it_follows_the_run_to_its_end(person: Person, cluster: Cluster, namespace: str) -> None:
    define(cluster, namespace, "True")
    running = person.begin("run", "order", "--name", "order-9")
    assert running.stdout is not None
    assert running.stdout.readline() == "order-9\n"
    operator = Operator(cluster, namespace, "order-9", create=False)
    operator.tell("start\nanswer reserve 422\nanswer fraud 422")
    rest, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "✗ order-9 ended in Failure; nothing was to be undone" in rest.splitlines()[-1]
