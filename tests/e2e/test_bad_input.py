"""What a user can get wrong is refused by the API server, or shown as findings: all at once, each with its path."""

import json
from typing import Any

import pytest
from tests.controlplane import KubectlError
from tests.e2e.kube import Object
from tests.e2e.sagas import Sagas, run_of, step, workflow
from tests.e2e.shop import Shop, condition

pytestmark = pytest.mark.e2e

URL = {"endpoint": {"url": "http://127.0.0.1:1/"}}


def first_step(**fields: Any) -> Object:
    """A workflow of one step with these fields."""
    return workflow("bad", {"id": "a", **URL, **fields})


REFUSED: tuple[tuple[str, Object, str], ...] = (
    ("a duplicate id", workflow("bad", {"id": "a", **URL}, {"id": "a", **URL}), "spec.steps[1]: Duplicate value"),
    ("an id that is none", workflow("bad", {"id": "A b", **URL}), "spec.steps[0].id"),
    ("the reserved id", workflow("bad", {"id": "self", **URL}), "the id self is reserved"),
    ("no steps", workflow("bad"), "spec.steps"),
    ("too many steps", workflow("bad", *({"id": f"s{n}", **URL} for n in range(201))), "spec.steps: Too many"),
    (
        "two ends",
        first_step(endpoint={"url": "http://x/", "service": "x", "method": "Y"}),
        "exactly one of url and service",
    ),
    ("no end", first_step(endpoint={}), "exactly one of url and service"),
    ("no endpoint", workflow("bad", {"id": "a"}), "exactly one of stepRef and endpoint"),
    ("an overridden policy", workflow("bad", {"id": "a", "stepRef": {"name": "x"}, "retry": {"limit": 1}}), "retry"),
    ("an unknown field", first_step(retries=3), 'unknown field "spec.steps[0].retries"'),
    ("no duration", first_step(timeout={"request": "5 minutes"}), "spec.steps[0].timeout.request"),
    ("a number out of bounds", first_step(retry={"limit": -2}), "spec.steps[0].retry.limit"),
    ("a name that is too long", workflow("x" * 64, {"id": "a", **URL}), "63"),
    ("a run of nothing", {**run_of("x"), "spec": {}}, "spec.workflowRef: Required"),
    ("a body in two ways", run_of("x", input={"body": 1, "rawBody": "1"}), "only one of body and rawBody"),
)


def test_the_api_server_refuses_what_the_schema_can_see(bare_shop: Shop) -> None:
    for what, document, message in REFUSED:
        with pytest.raises(KubectlError) as refused:
            bare_shop.kubectl("create", "-f", "-", stdin=json.dumps(document))
        assert message in str(refused.value), what


def test_the_api_server_refuses_changes_to_a_run(bare_shop: Shop) -> None:
    bare_shop.start("order", input={"body": {"order": 1}})
    for patch in ('{"spec":{"workflowRef":{"name":"other"}}}', '{"spec":{"input":{"body":{"order":2}}}}'):
        with pytest.raises(KubectlError, match="immutable"):
            bare_shop.kubectl("patch", "fwx", "run", "--type=merge", "-p", patch)
    bare_shop.kubectl("patch", "fwx", "run", "--type=merge", "-p", '{"spec":{"suspend":true}}')


def wrong_in_many_ways(sagas: Sagas) -> Object:
    """A workflow with nothing that the schema could see."""
    return workflow(
        "bad",
        sagas.step("a", "Stock.Reserve"),
        sagas.step("b", "Payments.Charge", "a", "nowhere"),
        sagas.step("c", "Courier.Ship", "b", when="input.amount >"),
        sagas.step("d", "Mail.Send", input={"body": "${steps.b.output}"}),
        sagas.step("e", "Post.Send", fallback="lost", output="${size(}"),
        sagas.step("f", "Gifts.Wrap", undo=False, compensate=unguarded(sagas)),
        sagas.step("g", "Mail.Send", "h"),
        sagas.step("h", "Mail.Send", "g"),
        sagas.step("i", "Mail.Send", "i"),
    )


def unguarded(sagas: Sagas) -> Object:
    """An undo that would fail in the very case it exists for."""
    return sagas.undo("Gifts.Wrap", input={"body": "${steps.self.response.body.parcel}"})


FINDINGS = {
    ("spec.steps", "Cycle"),
    ("spec.steps[8].requires[0]", "Cycle"),
    ("spec.steps[1].requires[1]", "UnknownStep"),
    ("spec.steps[2].when", "InvalidExpression"),
    ("spec.steps[3].input.body", "NotAnAncestor"),
    ("spec.steps[4].fallback", "UnknownStep"),
    ("spec.steps[4].output", "InvalidExpression"),
    ("spec.steps[5].compensate.input.body", "UnguardedRead"),
}


def test_all_findings_are_shown_at_once_and_a_run_waits(shop: Shop, sagas: Sagas) -> None:
    shop.create(wrong_in_many_ways(sagas))
    status = shop.until_ready("workflows", "bad", "False")
    shop.start("bad")

    assert {(each["path"], each["reason"]) for each in status["findings"]} == FINDINGS
    assert all(each["message"] for each in status["findings"])
    (cycle,) = [each["message"] for each in status["findings"] if each["path"] == "spec.steps"]
    assert cycle == "these steps wait for each other: g → h → g"
    assert condition(status, "Ready")["reason"] == "InvalidWorkflow"
    waiting = shop.until("run", lambda status: status.get("reason") == "WorkflowNotReady", "waiting")
    assert (waiting["phase"], condition(waiting, "Stalled")["status"]) == ("Pending", "True")
    assert waiting["message"].startswith("Workflow bad is not ready: spec.steps[")
    assert shop.calls("run") == []

    mended = sagas.chain("bad", "Stock.Reserve")
    shop.kube.patch("workflows", shop.namespace, "bad", {"spec": mended["spec"]})
    assert shop.until_ended("run")["phase"] == "Success"
    assert "findings" not in shop.until_ready("workflows", "bad")


def test_findings_of_a_step_and_of_who_refers_to_it(shop: Shop) -> None:
    shop.create(step("broken", **URL, output="${"), workflow("order", {"id": "a", "stepRef": {"name": "broken"}}))
    shop.start("order")

    told = shop.until_ready("steps", "broken", "False")
    assert [(each["path"], each["reason"]) for each in told["findings"]] == [("spec.output", "InvalidExpression")]
    shop.until_ready("workflows", "order", "False", "StepNotReady")  # StepNotFound first, if it was seen first
    waiting = shop.until("run", lambda status: status.get("reason") == "StepNotReady", "waiting")
    assert "broken" in waiting["message"]


def calls(**fields: Any) -> Object:
    """A step that calls nobody, with these fields."""
    return {"id": "a", **URL, **fields}


EXPRESSIONS: tuple[tuple[str, Object, str], ...] = (
    ("when", calls(when="input.nothing == 1"), "ExpressionError"),
    ("when-no-bool", calls(when="input.url"), "ExpressionError"),
    ("input", calls(input={"body": "${input.nothing + 1}"}), "ExpressionError"),
    ("header", calls(input={"header": {"x-a": "${input.host}"}}), "InvalidRequest"),
    ("url", calls(endpoint={"url": "${input.url}"}), "InvalidRequest"),
    ("host", calls(endpoint={"url": "http://${input.host}/"}), "InvalidRequest"),
)


def test_an_expression_that_fails_fails_the_step_and_sends_nothing(shop: Shop) -> None:
    for name, broken, reason in EXPRESSIONS:
        shop.define(workflow(name, broken))
        shop.start(name, name, input={"body": {"url": "no url", "host": "a b\r\nx: y"}})
        status = shop.until_ended(name)
        assert (status["phase"], status["reason"]) == ("Failure", reason), name
        assert status["message"], name
        assert status["steps"][0].get("effect", "None") == "None"


def test_an_output_that_cannot_be_computed_fails_the_step_that_was_applied(shop: Shop, sagas: Sagas) -> None:
    shop.define(workflow("order", sagas.step("a", "Stock.Reserve", output="${response.body.nothing + 1}")))
    shop.start("order")

    status = shop.until_ended("run")

    assert (status["phase"], status["reason"]) == ("Failure", "ExpressionError")
    assert status["steps"][0]["effect"] == "Applied"
    assert status["compensation"]["phase"] == "Success"


INPUTS: tuple[tuple[Object, str], ...] = (
    ({"rawBody": '{"a": 1, "a": 2}'}, "InvalidInput"),
    ({"rawBody": "not json"}, "InvalidInput"),
    ({"rawBody": "[" * 65 + "]" * 65}, "InvalidInput"),
    ({"rawBody": '"' + "x" * 140_000 + '"'}, "PayloadTooLarge"),
    ({"body": "x" * 140_000}, "PayloadTooLarge"),
    ({"header": {"host": "elsewhere"}}, "InvalidInput"),
    ({"header": {"x-evil": "a\r\nb: c"}}, "InvalidInput"),
    ({"header": {"idempotency-key": "mine"}}, "InvalidInput"),
)


def test_an_input_that_cannot_be_used_ends_the_run_before_anything_is_called(shop: Shop, sagas: Sagas) -> None:
    shop.define(sagas.chain("order", "Stock.Reserve"))
    for number, (given, reason) in enumerate(INPUTS):
        shop.start("order", f"run-{number}", input=given)
        status = shop.until_ended(f"run-{number}")
        assert (status["phase"], status["reason"]) == ("Failure", reason), given
        assert status["compensation"]["phase"] == "NotNeeded"
        assert shop.calls(f"run-{number}") == []
