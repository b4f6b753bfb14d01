"""Which headers a user may set (semantics: Headers on every call)."""

import pytest

from flow_operator.engine.messages.headers import problem


@pytest.mark.parametrize(
    "name",
    [
        "idempotency-key", "Idempotency-Key", "X-Flow-Execution", "x-flow-step", "X-FLOW-OPERATION", "x-flow-attempt",
        "x-flow-callback", "x-flow-tomorrow", "traceparent", "tracestate", "Host", "content-length",
        "Transfer-Encoding", "connection", "expect",
    ],
)  # fmt: skip
def test_flows_own_headers_cannot_be_set(name: str) -> None:
    assert problem(name, "x") == f"the header {name.lower()} is set by Flow itself"


@pytest.mark.parametrize(
    "name", ["x-tenant", "X-Request-Id", "authorization", "accept", "x-flowers", "a", "!#$%&'*+.^_`|~"]
)
def test_others_can(name: str) -> None:
    assert problem(name, 'any value: \t ünï, "quoted"') is None


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\n", "ä", "a/b", "(a)"])
def test_a_name_must_be_one(name: str) -> None:
    assert problem(name, "x") == f"{name!r} is no name of a header"


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\rb", "a\x00", "\x7f", "\x1b[0m"])
def test_a_value_cannot_break_the_line(value: str) -> None:
    assert problem("x-a", value) == "the value of the header x-a has a control character"


@pytest.mark.parametrize(
    "value",
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/merge-patch+json",
        "application/vnd.api+json;v=1",
    ],
)
def test_a_content_type_can_be_any_json_type(value: str) -> None:
    assert problem("Content-Type", value) is None


@pytest.mark.parametrize(
    "value", ["text/plain", "application/xml", "application/jsonp", "json", "", "+json", "a/+json"]
)
def test_a_content_type_can_be_nothing_else(value: str) -> None:
    assert "JSON type" in (problem("content-type", value) or "")


def test_a_template_is_judged_by_its_name_alone() -> None:
    assert problem("content-type", None) is None
    assert problem("host", None) is not None
