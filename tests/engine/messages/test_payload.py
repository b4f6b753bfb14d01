"""Bodies as they are stored, and as they come back (semantics: Messages)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow_operator.engine.expressions.json_text import Number, Value, parse, write
from flow_operator.engine.messages.payload import Spilled, load, load_bytes, size, store, store_answer, view

strings = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | strings
    | st.sampled_from(["0.10", "0.5", "1e400"]).map(parse),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("answer", "content_type", "stored"),
    [
        (b'{"b":1, "a":0.5}', "application/json", {"body": {"a": 0.5, "b": 1}}),
        (b'{"b":1, "a":0.10}', None, {"rawBody": '{"a":0.10,"b":1}'}),
        (b"18446744073709551616", None, {"rawBody": "18446744073709551616"}),
        (b"42", "text/plain", {"body": 42}),
        (b"null", "application/json", {"rawBody": "null"}),
        (b"", "application/json", {}),
        (b"<ok/>", "text/xml", {"rawBody": "<ok/>", "contentType": "text/xml"}),
        (b"ok", None, {"rawBody": "ok", "contentType": "text/plain"}),
        (b'{"a":1,"a":2}', "a/json", {"rawBody": '{"a":1,"a":2}', "contentType": "a/json"}),
        (b"NaN", None, {"rawBody": "NaN", "contentType": "text/plain"}),
        (b"\xff\x00", "image/png", {"rawBody": "/wA=", "bodyEncoding": "base64", "contentType": "image/png"}),
        (b"\xff", None, {"rawBody": "/w==", "bodyEncoding": "base64", "contentType": "application/octet-stream"}),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_answer_is_stored_as_what_it_is(answer: bytes, content_type: str | None, stored: dict[str, Any]) -> None:
    assert store_answer(answer, content_type) == stored


@pytest.mark.parametrize(
    ("answer", "seen", "passed_on"),
    [
        (b'{"a":0.10}', {"body": {"a": Number("0.10")}}, {"a": Number("0.10")}),
        (b"null", {"body": None}, None),
        (b"", {}, None),
        (b"<ok/>", {"text": "<ok/>"}, "<ok/>"),
        (b"\xff\x00", {"text": "/wA="}, "/wA="),
    ],
)
def test_what_expressions_see_and_what_the_next_step_gets(
    answer: bytes, seen: dict[str, Value], passed_on: Value
) -> None:
    assert view(store_answer(answer, None)) == seen
    assert load(store_answer(answer, None)) == passed_on


@pytest.mark.parametrize("answer", [b' {"b": 1,\n"a": 0.10} ', b"null", b"text", b"\xff\xfe", b"", b'"\xc3\xa9"'])
def test_a_raw_step_keeps_the_very_bytes(answer: bytes) -> None:
    stored = store_answer(answer, "application/json", raw=True)
    assert load_bytes(stored) == answer
    assert load(store_answer(b'{"a": 0.10}', None, raw=True)) == {"a": Number("0.10")}, "and can still be read"


@given(values)
def test_a_value_comes_back_as_it_was_stored(value: Value) -> None:
    stored = store(value)
    assert load(stored) == value
    assert view(stored) == {"body": value}
    assert load_bytes(stored) == write(value).encode()
    assert size(stored) == len(write(value).encode())
    assert None not in stored.values(), "whatever drops nulls must not make no body of null"


@given(st.binary(max_size=40), st.sampled_from([None, "text/plain", "application/json"]))
def test_every_answer_is_kept_and_bytes_that_are_not_json_come_back(answer: bytes, content_type: str | None) -> None:
    stored = store_answer(answer, content_type)
    if "contentType" in stored:
        assert load_bytes(stored) == answer
    else:
        assert load(stored) == (parse(answer) if answer else None)


def test_nothing_is_null_and_has_no_size() -> None:
    assert load(None) is None
    assert view(None) == {}
    assert size(None) == 0
    assert load_bytes({}) == b""


def test_a_runs_own_input_may_be_given_as_text() -> None:
    assert load({"rawBody": '{"amount": 0.10}'}) == {"amount": Number("0.10")}


def test_a_spilled_body_must_be_read_first() -> None:
    spilled = {"ref": {"name": "order-1-abc", "size": 9000, "digest": "…"}}
    assert size(spilled) == 9000
    for read in (load, load_bytes, view):
        with pytest.raises(Spilled, match="order-1-abc"):
            read(spilled)
