"""`describe` on a real API server, with the test in the place of the operator."""

import pytest
from tests.cli.operator import Operator
from tests.cli.person import Person
from tests.controlplane import Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

DECLINED = "answer reserve 200\nanswer fraud 200\nanswer charge 402"


def test_it_prints_the_picture_unwrapped(person: Person, operator: Operator, namespace: str) -> None:
    operator.tell(f"start\n{DECLINED}\nanswer undo reserve 403")
    said = person.flow("describe", "fwx/order-1")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].startswith("! order-1 waits for a person: the undo of reserve · since 2026-01-01 00:00:00Z (")
    assert f'  kubectl flow skip order-1 reserve -n {namespace} --reason "done by hand by $USER"' in lines
    assert said.out.replace("\n", "").isprintable()


def test_a_revision_that_is_gone_costs_only_the_levels(
    person: Person, operator: Operator, cluster: Cluster, namespace: str
) -> None:
    operator.tell("start")
    cluster.kubectl("delete", "controllerrevision", "--all", "-n", namespace)
    said = person.flow("describe", "order-1")
    assert said.code == 0
    assert "\n └─  ○ mail     Pending\n" in said.out


def test_the_request_of_a_step_is_rendered_as_it_was_sent(person: Person, operator: Operator) -> None:
    operator.tell('start\nanswer reserve 200 {"id": 0.10}\nanswer fraud 200')
    said = person.flow("describe", "order-1", "--request", "charge")
    attempt = operator.story.world.in_flight.popitem()[1]
    assert attempt.request.body is not None
    head, body = said.out.split("\n\n", 1)
    assert head.splitlines()[0] == "POST http://payments/charge"
    header = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    sent = dict(attempt.request.header)
    assert header.pop("x-flow-execution") == f"{operator.namespace}/order-1"
    assert sent.pop("x-flow-execution") == "shop/order-1"
    assert header == sent
    assert body == f"{attempt.request.body.decode()}\n"
    assert body == '{"fraud":null,"reserve":{"id":0.10}}\n'
    assert said.err.startswith("# as it was sent: sha256:")


def test_the_request_of_an_undo_not_sent_yet(person: Person, operator: Operator) -> None:
    operator.tell('start\nanswer reserve 200 {"id": 7}')
    said = person.flow("describe", "order-1", "--request", "reserve", "--undo")
    uid = operator.read()["metadata"]["uid"]
    assert said.out.startswith("POST http://stock/release\n")
    assert f"idempotency-key: {uid}/reserve/undo/0\n" in said.out
    assert '"response":{"body":{"id":7},"code":200,"header":{}}' in said.out
    assert said.err == "# not sent; this is what it would be now\n"


def test_a_request_that_may_still_change_says_so(person: Person, operator: Operator) -> None:
    operator.tell("start")
    said = person.flow("describe", "order-1", "--request", "charge")
    assert said.err == "# not sent; this is what it would be now, before reserve, fraud ended\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--request", "nobody"), "order-1 has no step nobody: it has reserve, fraud, charge, wrap, ship"),
        (("--request", "fraud", "--undo"), "fraud has no undo"),
    ],
)
def test_what_has_no_request(person: Person, operator: Operator, words: tuple[str], error: str) -> None:
    operator.tell("start")
    said = person.flow("describe", "order-1", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: {error}")


def test_a_run_that_has_not_started_has_none(person: Person, operator: Operator) -> None:
    assert "status" in operator.read()
    said = person.flow("describe", "order-1", "--request", "reserve")
    assert (said.code, said.err) == (2, "error: order-1 has not started, so it is not pinned to a definition yet\n")
