"""Findings: what is wrong where. How they are told is in the scenarios; here is what must, and must not, be found."""

from typing import Any

import pytest

from flow_operator.api.reasons import Reason
from flow_operator.api.step import StepSpec
from flow_operator.engine.definitions.definition import Unresolved
from flow_operator.engine.definitions.findings import step_findings, workflow_findings
from flow_operator.engine.readiness import definition_of

SERVICE = {"endpoint": {"url": "http://s"}}


def found(*steps: dict[str, Any], **spec: Any) -> list[tuple[str, str]]:
    raw = {"steps": [{**SERVICE, **step} for step in steps], **spec}
    return [(each.path, each.reason) for each in workflow_findings(raw, {})]


A, B, C = {"id": "a"}, {"id": "b", "requires": ["a"]}, {"id": "c", "requires": ["b"]}


@pytest.mark.parametrize(
    "steps",
    [
        [A],
        [A, {"id": "b"}],
        [C, B, A],
        [A | {"fallback": "f"}, {"id": "f", "fallback": "g"}, {"id": "g"}],
        [A | {"fallback": "f"}, {"id": "f"}, B],
        [A, B | {"acceptSkipped": ["a"]}],
        [A, B, C | {"requires": ["a", "b"]}],
    ],
)
def test_nothing_is_wrong(steps: list[dict[str, Any]]) -> None:
    assert found(*steps) == []


@pytest.mark.parametrize(
    ("steps", "path", "reason"),
    [
        ([B], "spec.steps[0].requires[0]", "UnknownStep"),
        ([A | {"fallback": "x"}], "spec.steps[0].fallback", "UnknownStep"),
        ([A, B | {"acceptSkipped": ["x"]}], "spec.steps[1].acceptSkipped[0]", "UnknownStep"),
        ([A, {"id": "b", "acceptSkipped": ["a"]}], "spec.steps[1].acceptSkipped[0]", "InvalidDependency"),
        ([A | {"requires": ["a"]}], "spec.steps[0].requires[0]", "Cycle"),
        ([A | {"fallback": "a"}], "spec.steps[0].fallback", "Cycle"),
        ([A | {"requires": ["b"]}, B], "spec.steps", "Cycle"),
        ([A | {"fallback": "f"}, {"id": "f", "fallback": "a"}], "spec.steps", "Cycle"),
        (
            [A | {"fallback": "f"}, {"id": "f"}, B | {"requires": ["f"]}],
            "spec.steps[2].requires[0]",
            "InvalidDependency",
        ),
        ([A | {"fallback": "b"}, B], "spec.steps[1].requires", "InvalidDependency"),
        ([A | {"fallback": "f"}, B | {"fallback": "f"}, {"id": "f"}], "spec.steps[1].fallback", "InvalidDependency"),
        ([A, A], "spec.steps", "DuplicateId"),
    ],
)
def test_wiring(steps: list[dict[str, Any]], path: str, reason: str) -> None:
    assert (path, reason) in found(*steps)


READABLE = [
    ("when", "steps.a.output.x > 0 && steps.f.?output.hasValue()"),
    ("when", "input.x && header['y'] == '1' && execution.name == 'n'"),
    ("input", {"body": "${steps.a.response.body} ${steps.a.effect} ${steps.a.phase}"}),
    ("input", {"header": {"x-a": "${steps.a.response.header.etag}"}}),
    ("endpoint", {"url": "http://s/${steps['a'].output.id}"}),
    ("output", "${response.body.x} ${steps.self.request.url} ${steps.a.output}"),
    ("outcome", {"failWhen": "response.code == 200 && steps.self.effect == 'None'"}),
    (
        "compensate",
        {**SERVICE, "input": {"body": "${steps.self.?response.?body} ${steps.self.request} ${error.?reason}"}},
    ),
    ("compensate", {"endpoint": {"url": "${steps.self.idempotencyKey == '' ? 'http://s' : 'http://t'}"}}),
    (
        "compensate",
        {**SERVICE, "input": {"body": "${has(steps.self.response) ? 1 : steps.a.output}"}},
    ),
]


@pytest.mark.parametrize(("field", "value"), READABLE)
def test_what_can_be_read(field: str, value: Any) -> None:
    assert found(A | {"fallback": "f"}, {"id": "f"}, B | {field: value}) == []


def undo(**message: Any) -> dict[str, Any]:
    return {**SERVICE, "input": message}


NOT_READABLE = [
    ("when", "steps.c.output", "", "NotAnAncestor"),
    ("when", "steps.b.output", "", "NotAnAncestor"),
    ("when", "steps.x.output", "", "NotAnAncestor"),
    ("when", "steps.self.output", "", "NotAnAncestor"),
    ("when", "response.code == 1", "", "InvalidExpression"),
    ("when", "error == null", "", "InvalidExpression"),
    ("when", "nobody", "", "InvalidExpression"),
    ("when", "'text'", "", "InvalidExpression"),
    ("when", "1 +", "", "InvalidExpression"),
    ("when", "input.l.exists(x, x)", "", "InvalidExpression"),
    ("input", {"body": {"x": ["${steps.c.output}"]}}, ".body.x[0]", "NotAnAncestor"),
    ("input", {"body": "${response}"}, ".body", "InvalidExpression"),
    ("input", {"body": "${input"}, ".body", "InvalidExpression"),
    ("input", {"header": {"x": "${steps.self.key}"}}, ".header.x", "NotAnAncestor"),
    ("input", {"header": {"host": "x"}}, ".header.host", "InvalidHeader"),
    ("endpoint", {"url": "http://s/${steps.c.output}"}, ".url", "NotAnAncestor"),
    ("endpoint", {"url": "http://"}, ".url", "InvalidField"),
    ("endpoint", {"url": "http://s", "header": [{"name": "a", "value": "b\nc"}]}, ".header[0].name", "InvalidHeader"),
    ("outcome", {"retryWhen": "error == null"}, ".retryWhen", "InvalidExpression"),
    ("outcome", {"successWhen": "1"}, ".successWhen", "InvalidExpression"),
    ("output", "${error}", "", "InvalidExpression"),
    ("compensate", undo(body="${response}"), ".input.body", "InvalidExpression"),
    ("compensate", undo(body="${steps.self.response}"), ".input.body", "UnguardedRead"),
    ("compensate", undo(body="${steps['self'].response.?body}"), ".input.body", "UnguardedRead"),
    ("compensate", undo(body="${has(steps.self.response.body)}"), ".input.body", "UnguardedRead"),
    ("compensate", undo(header={"x": "${steps.c.output}"}), ".input.header.x", "NotAnAncestor"),
    ("compensate", {"endpoint": {"url": "http://s/${steps.self.output.id}"}}, ".endpoint.url", "UnguardedRead"),
    ("compensate", undo(body="${error.reason}"), ".input.body", "UnguardedRead"),
    ("compensate", undo(body="${error}"), ".input.body", "UnguardedRead"),
    ("compensate", undo(body="${has(error.step) ? error.step : ''}"), ".input.body", "UnguardedRead"),
]


@pytest.mark.parametrize(("field", "value", "path", "reason"), NOT_READABLE)
def test_what_cannot_be_read(field: str, value: Any, path: str, reason: str) -> None:
    assert found(A, B | {field: value}, C) == [(f"spec.steps[1].{field}{path}", reason)]


def test_the_output_of_a_workflow_can_read_every_step_but_no_answer() -> None:
    assert found(A, {"id": "b"}, output="${steps.a.output} ${steps.b.effect}") == []
    assert found(A, output="${response}") == [("spec.output", "InvalidExpression")]
    assert found(A, output="${steps.self.output}") == [("spec.output", "NotAnAncestor")]


def test_a_fallback_can_read_its_owner_and_the_error() -> None:
    assert (
        found(
            A | {"fallback": "f"}, {"id": "f", "when": "error.reason == 'x'", "input": {"body": "${steps.a.response}"}}
        )
        == []
    )


def test_a_step_by_itself_can_read_any_step_of_a_workflow() -> None:
    assert step_findings({**SERVICE, "input": {"body": "${steps.anything.output} ${error}"}}) == []
    assert [each.reason for each in step_findings({**SERVICE, "output": "${item}"})] == ["InvalidExpression"]


ANSWERED = "it is the failure that a fallback or compensate answers to"


def test_what_a_step_reads_is_judged_again_where_it_is_used() -> None:
    step = StepSpec.model_validate({**SERVICE, "input": {"body": "${error}"}})
    spec = {"steps": [{"id": "a", "stepRef": {"name": "s"}, "fallback": "f"}, {"id": "f", "stepRef": {"name": "s"}}]}
    assert [(each.path, each.message) for each in workflow_findings(spec, {"s": step})] == [
        ("spec.steps[0].stepRef", f"Step s: error cannot be read here: {ANSWERED}")
    ]


@pytest.mark.parametrize("raw", [None, 1, [], {}, {"endpoint": None}, {"endpoint": {"url": 1}}])
def test_poison_has_findings_and_breaks_nothing(raw: Any) -> None:
    assert step_findings(raw)
    assert workflow_findings(raw, {})


def test_unknown_fields_are_found_when_asked() -> None:
    raw = {"steps": [{"id": "a", **SERVICE, "retries": 3}], "sequence": 1}
    assert workflow_findings(raw, {}) == []
    strict = [(each.path, each.reason) for each in workflow_findings(raw, {}, strict=True)]
    assert strict == [("spec.steps[0].retries", "UnknownField"), ("spec.sequence", "UnknownField")]


def nested(depth: int) -> Any:
    value: Any = "leaf"
    for _ in range(depth):
        value = [value]
    return value


def test_a_template_may_be_as_deep_as_a_body_and_no_deeper() -> None:
    assert found({**A, "input": {"body": nested(64)}}) == []
    assert found({**A, "input": {"body": nested(80)}}) == [("spec", "InvalidField")]
    assert [each.path for each in step_findings({**SERVICE, "output": nested(100_000)})] == ["spec"]


def test_a_definition_that_no_revision_can_hold_is_not_ready() -> None:
    step = {**SERVICE, "input": {"body": "x" * 500_000}}
    spec = {"steps": [{"id": id, "stepRef": {"name": "large"}} for id in ("a", "b")]}
    refused = definition_of("order", spec, {"large": step})
    assert isinstance(refused, Unresolved)
    assert refused.reason is Reason.WORKFLOW_NOT_READY
    assert "a revision holds 900" in refused.message
