"""The verbs on a real API server, with the test in the place of the operator."""

import re

import pytest
from tests.cli.operator import Operator
from tests.cli.person import Person
from tests.controlplane import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_accepted(person: Person, operator: Operator) -> None:
    operator.tell("start")
    suspending = person.begin("suspend", "order-1")
    command = operator.obey()
    out, _ = suspending.communicate(timeout=60)
    assert (suspending.returncode, out) == (0, "Accepted: suspended: nothing new is called\n")
    assert (command.verb, command.args, command.by) == ("suspend", {}, "kubectl-flow")
    assert re.fullmatch(r"[0-9a-f]{16}", command.id)


def test_rejected(person: Person, operator: Operator) -> None:
    operator.tell("start")
    skipping = person.begin("skip", "order-1", "charge", "--reason", "by hand", "--output", '{"a": 1}')
    command = operator.obey()
    out, _ = skipping.communicate(timeout=60)
    assert (skipping.returncode, out) == (1, "Rejected: charge is not suspended or parked\n")
    assert command.args == {"step": "charge", "reason": "by hand", "output": {"a": 1}}


def test_without_waiting_the_annotations_are_all_there_is(person: Person, operator: Operator) -> None:
    said = person.flow("abort", "order-1", "--no-compensate", "--reason", "why", "--no-wait")
    annotations = operator.read()["metadata"]["annotations"]
    id = annotations.pop("flow.unistack.org/command-id")
    assert annotations == {
        "flow.unistack.org/command": "abort",
        "flow.unistack.org/command-args": '{"compensate":false,"reason":"why"}',
    }
    assert (said.code, said.out) == (0, f"abort: given to order-1, as command {id}\n")


def test_without_an_operator_it_says_what_may_be_wrong(person: Person, operator: Operator) -> None:
    said = person.flow("resume", "order-1", "--wait", "1")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: no answer within 1s: is the operator running?")
    assert f" -n {operator.namespace}\n" in said.err
    take_back = said.err.split("Take it back with: kubectl ")[1].split()
    operator.cluster.kubectl(*take_back)
    assert "annotations" not in operator.read()["metadata"]


def test_a_command_that_another_one_replaced_does_not_wait(person: Person, operator: Operator) -> None:
    suspending = person.begin("suspend", "order-1")
    eventually(lambda: operator.read()["metadata"].get("annotations"), within=30, what="the first command")
    person.flow("abort", "order-1", "--no-wait")
    _, errors = suspending.communicate(timeout=60)
    assert suspending.returncode == 2
    said = "error: another command (abort) took the place of suspend before the operator had read it"
    assert errors.splitlines()[-1] == said


@pytest.mark.usefixtures("operator")
def test_after_two_seconds_without_an_operator_the_person_is_told_what_to_check(person: Person) -> None:
    said = person.flow("resume", "order-1", "--wait", "3")
    first, second = said.err.splitlines()
    check = "kubectl get pods -A -l app.kubernetes.io/name=flow-operator"
    assert first == f"no answer from the operator yet, waiting up to 3s. Is it running? Check with: {check}"
    assert second.startswith("error: no answer within 3s")
    assert said.code == 2


def test_a_verb_that_follows_ends_as_the_run_does(person: Person, operator: Operator) -> None:
    operator.tell("start")
    aborting = person.begin("abort", "order-1", "--follow")
    operator.obey()
    operator.tell("answer reserve 422\nanswer fraud 422")
    out, _ = aborting.communicate(timeout=60)
    assert out.startswith("Accepted: ")
    assert "■ order-1 ended in Aborted" in out.splitlines()[-1]
    assert aborting.returncode == 1


def test_what_is_rejected_is_not_followed(person: Person, operator: Operator) -> None:
    operator.tell("start")
    skipping = person.begin("skip", "order-1", "charge", "--reason", "by hand", "--follow")
    operator.obey()
    out, _ = skipping.communicate(timeout=60)
    assert (skipping.returncode, len(out.splitlines())) == (1, 1)
