"""The mistakes that people make, through findings and `lint`: each names the field, what is wrong, and the way out.

No library's own words reach the user: neither those of the CEL parser nor those of pydantic.
"""

import io
import json
from typing import Any

import pytest

from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.meta import API_VERSION
from flow_operator.cli.__main__ import main
from flow_operator.engine.definitions.field_findings import parsed
from flow_operator.engine.definitions.findings import step_findings, workflow_findings

LIBRARIES = (
    *("yntax error", "mismatched", "extraneous", "viable alternative", "token recognition", "EOF", "expecting"),
    *("IDENTIFIER", "undeclared", "container", "matching overload", "<input>", "parsetree", "Activation", "_ARGUMENT"),
    *("non-message", "protobuf", "reserved identifier", "operand of a select"),
    *("nput should", "should match", "ield required", "xtra inputs", "should have", "Value error", "constrained-"),
    *("validation error", "valid string", "valid integer", "dictionary", "instance of", "pydantic", "Traceback"),
)

URL = {"endpoint": {"url": "http://a"}}
Row = tuple[Any, str, str]


def of(field: str, *rows: tuple[Any, str]) -> list[Row]:
    """Rows that set one field of the second step of a workflow: the value, and the way out that is told."""
    path = f"spec.steps[1].{field}"
    return [(_set(field, value), path, said) for value, said in rows]


def _set(field: str, value: Any) -> dict[str, Any]:
    *parents, name = field.split(".")
    fields: dict[str, Any] = {name: value}
    for parent in reversed(parents):
        fields = {parent: fields}
    return fields


CONDITIONS = of(
    "when",
    ("${input.x > 0}", "write it bare, input.x > 0"),
    ("input.x = 1", "column 9: = is not an operator of CEL, which changes nothing: to compare write =="),
    ("input.x === 1", "write =="),
    ("input.x !== 1", "write !="),
    ("input.x <> 1", "write !="),
    ("input.x =< 1", "write <="),
    ("input.x => 1", "write >="),
    ("input.x := 1", "write =="),
    ("input.x and input.y", "write &&"),
    ("input.x or input.y", "write ||"),
    ("not input.x", "write !"),
    ("input.x & input.y", "write &&"),
    ("input.x | input.y", "write ||"),
    ("input.x ?? true", "write input.?name.orValue(…)"),
    ("if (input.x) true", "write condition ? a : b"),
    ("input.x ? true", "write condition ? a : b"),
    ("input.x == 'a", "its closing quote is missing"),
    ("input.x == “a”", "write ' or \""),
    ("(input.x == 1", "a ( that is not closed: add )"),
    ("input.x == 1)", "a ) without its ("),
    ("input.x ==", "a value is missing after =="),
    ("input.", "the name of a field is missing after the dot"),
    ("input.x;", "without ;"),
    ("input.x # why", "a comment begins with //"),
    ("input.x 1", "an operator is needed, for example + or &&"),
    ("input.in == 1", "read in brackets, as in input['in']"),
    ("for == 1", "input['for']"),
    ("input.x.matches('\\d')", "or a raw string such as r'\\d'"),
    (" ", "it is empty: write a value"),
    ("inptu.x", "did you mean input?"),
    ("stesp.reserve.output.x", "did you mean steps?"),
    ("reserve.output.ok", "a step as steps.reserve"),
    ("input.x == yes", "a string is written in quotes"),
    ("input.x == True", "write true"),
    ("input.x == None", "write null"),
    ("header.x-tenant == 'a'", "write header['x-tenant']"),
    ("steps.reserve-stock.output == 1", "write steps['reserve-stock']"),
    ("len(input.x) > 0", "write size(…)"),
    ("input.x.toLowerCase() == 'a'", "write lowerAscii()"),
    ("input.x.startWith('a')", "did you mean startsWith?"),
    ("now() > input.x", "expressions know neither time nor chance"),
    ("size(input.x, 1) > 0", "size() is not called with so many values"),
    ("1 + 1.0 > input.x", "double(…) makes a double of an int"),
    ("'a' + 1 == input.x", "string(…) makes a string of it"),
    ("'a' in 'abc'", "write text.contains(…)"),
    ("has(input)", "as in has(input.name)"),
    ("'a'", "compare it, as in 'a' == …"),
    ("input.l.exists(x, x > 1)", "must not loop"),
    ("input.x == 99999999999999999999", "write it as a string"),
    ("((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))", "nested deeper than 32 levels"),
    ("response.code == 200", "elsewhere write steps.<id>.response"),
    ("error.reason == 'a'", "the failure that a fallback or compensate answers to"),
    ("steps.resreve.output.x", "there is no step resreve in this workflow; did you mean reserve?"),
    ("steps.other.output.x", "add it to requires"),
    ("steps.last.output.x", "only steps that are over by then can"),
    ("steps.charge.output.x", "write steps.self"),
    (True, 'write "true", in quotes'),
    ("", "must not be empty"),
)
FIELDS = [
    *of("timeout.request", ("10", "write 10s if seconds are meant"), (10, "write 10s"), ("soon", "10s, 1h30m or 7d")),
    *of("timeout.total", ("9999d", "longer than ten years")),
    *of("endpoint.url", ("payments:8080/x", "write http://payments:8080/x"), ("ftp://a", "must begin with http://")),
    *of("endpoint.url", ("http://", "write http:// or https://, a host"), ("http://${input.x", "${ without }")),
    *of("endpoint.httpMethod", ("post", "did you mean POST?")),
    *of("endpoint.header", ({"a": "b"}, "must be a list")),
    *of("endpoint", ("http://a", 'write {url: "http://a"}'), ({"service": "a"}, "service and method go together")),
    *of("retry.limit", ("3", "write it without quotes"), (-2, "must be at least -1, got -2"), (2.5, "an integer")),
    *of("retry.backoff.factor", (0.5, "must be at least 1, got 0.5")),
    *of("retry.limt", (3, "did you mean limit?")),
    *of("outcome.success", (200, "write [200]")),
    *of("outcome.failureEffect", ("applied", "did you mean Applied?")),
    *of("outcome.failWhen", ("response.body.x = 1", "write =="), ("reponse.body.x", "did you mean response?")),
    *of("input", ("${input}", 'write {body: "${input}"}')),
    *of("input.body", ("${steps.self.output}", "only outcome, output and compensate know what the step did")),
    *of("input.header.host", ("a", "take it out")),
    *of("requires", ("reserve", 'write ["reserve"]')),
    *of("fallback", ("nobody", "there is no step nobody"), ("charge", "name another step")),
    *of("compensate", ({}, "is required")),
    *of("whne", ("true", "did you mean when?")),
    *of("id", ("Charge Card", "write charge-card")),
    ({"outcome": {"success": [2.5]}}, "spec.steps[1].outcome.success[0]", "from 100 to 599"),
    ({"requires": ["resreve"]}, "spec.steps[1].requires[0]", "did you mean reserve?"),
    ({"requires": ["charge"]}, "spec.steps[1].requires[0]", "requires itself: take it out"),
    ({"acceptSkipped": ["other"]}, "spec.steps[1].acceptSkipped[0]", "add it to requires"),
    ({"compensate": URL | {"input": {"body": "${steps.self.response.body.x}"}}},
     "spec.steps[1].compensate.input.body", "steps.self.?response.?body.?id.orValue('')"),
    ({"compensate": URL | {"input": {"body": "${error.reason}"}}},
     "spec.steps[1].compensate.input.body", "error.?reason.orValue('aborted')"),
    ({"compensate": URL | {"input": {"body": "a ${input.x} ${1 +}"}}},
     "spec.steps[1].compensate.input.body", "a value is missing after +"),
]  # fmt: skip


def workflow(fields: dict[str, Any]) -> dict[str, Any]:
    """A workflow whose second step has these fields."""
    return {
        "steps": [
            {"id": "reserve", **URL},
            {"id": "charge", "requires": ["reserve"], **URL, **fields},
            {"id": "last", "requires": ["charge"], **URL},
            {"id": "other", **URL},
        ]
    }


def linted(kind: str, spec: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    document = {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(document).encode())))
    main(["lint", "-"])
    return capsys.readouterr().out.splitlines()


def test_there_are_enough_of_them() -> None:
    assert len(CONDITIONS) + len(FIELDS) >= 60


@pytest.mark.parametrize(("fields", "path", "said"), CONDITIONS + FIELDS)
def test_a_finding_names_the_field_and_the_way_out(
    fields: dict[str, Any],
    path: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = workflow(fields)
    found = workflow_findings(spec, {}, strict=True)
    lines = linted("Workflow", spec, capsys, monkeypatch)
    assert [each.message for each in found if each.path.startswith(path) and said in each.message], found
    assert [line for line in lines if f"Workflow/a {path}" in line and said in line], lines
    for words in LIBRARIES:
        assert not [text for text in (*lines, *(each.message for each in found)) if words in text], words


WHOLE: list[tuple[str, Any, str, str]] = [
    ("Workflow", {}, "spec.steps", "is required"),
    ("Workflow", {"steps": []}, "spec.steps", "at least 1 item"),
    ("Workflow", {"steps": {"id": "a"}}, "spec.steps", "must be a list"),
    ("Workflow", {"steps": ["a"]}, "spec.steps[0]", 'must be an object, got "a"'),
    ("Workflow", {"steps": [{"id": "a", "stepRef": "b"}]}, "spec.steps[0].stepRef", 'write {name: "b"}'),
    ("Workflow", {"steps": [{"id": "a"}]}, "spec.steps[0]", "exactly one of stepRef and endpoint"),
    ("Workflow", {"steps": [{"id": "a", **URL}], "timeout": {"run": 60}}, "spec.timeout.run", "write 60s"),
    ("Workflow", {"steps": [{"id": "a", **URL}], "compensation": "None"}, "spec.compensation", 'write {mode: "None"}'),
    ("Workflow", {"steps": [{"id": "a", **URL}], "compensation": {"mode": "auto"}}, "spec.compensation.mode", "Auto?"),
    ("Workflow", {"steps": [{"id": "a", **URL}], "ouput": 1}, "spec.ouput", "did you mean output?"),
    ("Workflow", {"steps": [{"id": "a", **URL}], "output": "${steps.b.output}"}, "spec.output", "there are a"),
    ("Step", {"url": "http://a"}, "spec.endpoint", "is required"),
    ("Step", {**URL, "timeout": 10}, "spec.timeout", "must be an object, got 10"),
    ("Step", {**URL, "output": {"a": ["${item.x}"]}}, "spec.output.a[0]", "item cannot be read here"),
    ("WorkflowExecution", {"workflowRef": "order"}, "spec.workflowRef", 'write {name: "order"}'),
    ("WorkflowExecution", {"workflowRef": {"name": "Order"}}, "spec.workflowRef.name", "a-z, 0-9"),
    ("WorkflowExecution", {"workflowRef": {"name": "a"}, "suspend": "true"}, "spec.suspend", "without quotes"),
    ("WorkflowExecution", {"workflowRef": {"name": "a"}, "inputs": {}}, "spec.inputs", "did you mean input?"),
]


@pytest.mark.parametrize(("kind", "spec", "path", "said"), WHOLE)
def test_so_does_one_about_a_whole_object(
    kind: str, spec: Any, path: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = linted(kind, spec, capsys, monkeypatch)
    assert [line for line in lines if f"{kind}/a {path}: " in line and said in line], lines
    assert not [line for line in lines for words in LIBRARIES if words in line]


@pytest.mark.parametrize("raw", [None, 1, "a", [], {}, {"steps": None}, {"endpoint": {"url": None}}])
def test_poison_is_told_in_plain_words_too(raw: Any) -> None:
    found = [*step_findings(raw, strict=True), *workflow_findings(raw, {}, strict=True), *parsed(ExecutionSpec, raw)[1]]
    assert found
    assert not [each for each in found for words in LIBRARIES if words in each.message]


@pytest.mark.parametrize("kind", ["Step", "Workflow"])
@pytest.mark.parametrize(
    ("test", "hint"),
    [
        ("response.body.state == 'declined'", "for example response.?body.?state.orValue('')"),
        ("response.body == 1", "read response.?body"),
        ("response.?body.?state.orValue('') == 'declined'", None),
        ("has(response.body) && response.body.state == 'declined'", None),
        ("response.code == 200", None),
    ],
)  # fmt: skip
def test_a_test_of_an_answer_that_may_have_no_body_is_noted(
    kind: str, test: str, hint: str | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = {**URL, "outcome": {"failWhen": test}}
    spec = step if kind == "Step" else {"steps": [{"id": "a", **step}]}
    (line,) = linted(kind, spec, capsys, monkeypatch) or ("",)
    at = "spec" if kind == "Step" else "spec.steps[0]"
    assert (f": {kind}/a {at}.outcome.failWhen: note: " in line) if hint else not line
    assert (hint or "") in line
