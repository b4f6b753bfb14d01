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
    take_back = said.err.split("Take it back with: kubectl ")[1].split()
    operator.cluster.kubectl(*take_back)
    assert "annotations" not in operator.read()["metadata"]


def test_a_command_that_another_one_replaced_does_not_wait(person: Person, operator: Operator) -> None:
    suspending = person.begin("suspend", "order-1")
    eventually(lambda: operator.read()["metadata"].get("annotations"), within=30, what="the first command")
    person.flow("abort", "order-1", "--no-wait")
    _, errors = suspending.communicate(timeout=60)
    assert suspending.returncode == 2
    assert errors == "error: another command (abort) took the place of suspend before the operator had read it\n"
