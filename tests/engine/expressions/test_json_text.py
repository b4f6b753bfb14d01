"""Exact JSON: numbers keep their text, writing is canonical (semantics: Messages)."""

import json
import sys
import time
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flow_operator.engine.expressions.json_text import (
    NotJSON,
    Number,
    TooBig,
    Value,
    go_float,
    normalise,
    parse,
    survives,
    weigh,
    write,
)

number_texts = st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
strings = st.text(st.characters(exclude_categories=["Cs"]))
numbers = number_texts.map(parse)
values = st.recursive(
    st.none() | st.booleans() | numbers | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-1", -1),
        ("9223372036854775808", 2**63),
        ("18446744073709551616", 2**64),
        ("0.5", 0.5),
        ("0.000001", 0.000001),
        ("1e-7", 1e-7),
        ("1e+21", 1e21),
        ("1.7976931348623157e+308", sys.float_info.max),
        ("5e-324", 5e-324),
        ("0.10", Number("0.10")),
        ("1.0", Number("1.0")),
        ("-0", Number("-0")),
        ("-0.0", Number("-0.0")),
        ("1e400", Number("1e400")),
        ("1E2", Number("1E2")),
        ("1e21", Number("1e21")),
        ("1e-07", Number("1e-07")),
        ("1e-400", Number("1e-400")),
        ("0.1000000000000000055511151231257827", Number("0.1000000000000000055511151231257827")),
        ("9" * 4000, int("9" * 4000)),
        ("9" * 4001, Number("9" * 4001)),
    ],
)
def test_a_number_is_an_int_or_a_float_only_if_its_text_comes_back(text: str, value: Value) -> None:
    assert parse(text) == value
    assert type(parse(text)) is type(value)
    assert write(value) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("nul", "Expecting value"),
        ("[1,]", "Expecting value|Illegal trailing comma"),  # since Python 3.13
        ("1 2", "Extra data"),
        ("01", "Extra data"),
        ("1_0", "Extra data"),
        ("１", "Expecting value"),
        ("\ufeff1", "Expecting value"),
        (b"\xef\xbb\xbf1", "Expecting value"),
        ("\xa01", "Expecting value"),
        ('"\t"', "Invalid control character"),
        ("NaN", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ('{"a":1,"a":1}', "duplicate key 'a'"),
        ('{"a":{"b":1,"\\u0062":2}}', "duplicate key 'b'"),
        ('"\\ud800"', "lone surrogate"),
        ('"\\uDFFF\\uD800"', "lone surrogate"),
        ('{"\\ud800":1}', "lone surrogate"),
        ('"\ud800"', "lone surrogate"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'"\xff"', "not UTF-8"),
        ("[" * 65 + "]" * 65, "nested deeper than 64"),
        ('[{"a":' * 33 + "1" + "}]" * 33, "nested deeper than 64"),
    ],
)
def test_what_is_not_json_says_why(text: str | bytes, reason: str) -> None:
    with pytest.raises(NotJSON, match=reason):
        parse(text)


def test_what_is_json_although_it_looks_odd() -> None:
    assert parse('"\\ud83d\\ude00"') == "😀"
    assert parse(b'"\xf0\x9f\x98\x80"') == "😀"
    assert parse("[" * 64 + "]" * 64)
    assert parse(json.dumps("[" * 1000)) == "[" * 1000
    assert parse('["\\"[[[[","\\\\",' + "[],{}," * 100 + "1]")
    assert parse("[[1]]", max_depth=2) == [[1]]
    with pytest.raises(NotJSON):
        parse("[[1]]", max_depth=1)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 500_000,
        '{"a":' * 100_000,
        "[" * 50_000 + "]" * 50_000,
        '["' + '\\"' * 500_000,
        '"[' * 300_000,
        '"\\' * 300_000,
        "[]" * 300_000,
        "9" * 1_000_000,
        "[" + "1e999999999," * 80_000 + "1]",
    ],
    ids=lambda text: f"{text[:8]}… {len(text)}",
)
def test_hostile_text_is_read_or_refused_in_linear_time(text: str) -> None:
    before = time.process_time()
    try:
        parse(text)
    except NotJSON as error:
        assert len(str(error)) < 200  # noqa: PT017
    assert time.process_time() - before < 2


@given(values)
def test_what_was_written_reads_as_the_same_value(value: Value) -> None:
    assert parse(write(value)) == value
    assert parse(write(value).encode()) == value
    assert normalise(value) == value


@given(number_texts)
def test_every_number_keeps_its_text(text: str) -> None:
    assert write(parse(text)) == text


@given(st.dictionaries(strings, numbers, max_size=8), st.randoms())
def test_the_order_of_the_keys_makes_no_difference(value: dict[str, Value], random: object) -> None:
    keys = list(value)
    random.shuffle(keys)  # type: ignore[attr-defined]
    assert write({key: value[key] for key in keys}) == write(value)


def test_what_is_written_is_canonical() -> None:
    value: Value = {"b": [1, 0.5, Number("0.10"), None, True], "a": {"é": "ü\n\x00😀"}, "B": {}, "": []}
    assert write(value) == '{"":[],"B":{},"a":{"é":"ü\\n\\u0000😀"},"b":[1,0.5,0.10,null,true]}'
    assert write({"\uffff": 1, "😀": 2}) == '{"\uffff":1,"😀":2}', "sorted by code point, not by UTF-16 unit"


INFINITY = float("inf")


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        [-INFINITY],
        [Number("0.10"), INFINITY],
        "\ud800",
        ["\udfff"],
        [1.0, "\udfff"],
        [Number("1.0"), "\udfff"],
    ],
)
def test_what_json_cannot_say_is_not_written(value: Value) -> None:
    with pytest.raises(NotJSON):
        write(value)


@pytest.mark.parametrize("innermost", [1, 1.0, Number("1.0")])
def test_what_nests_without_end_is_not_written(innermost: Value) -> None:
    for _ in range(50_000):
        innermost = [innermost]
    with pytest.raises(NotJSON):
        write(innermost)


def as_go_writes(number: float) -> str:
    """Go's encoding/json, from its documentation: ES6 format, exponents without a leading zero."""
    if number and not 1e-6 <= abs(number) < 1e21:
        mantissa, exponent = repr(number).split("e")
        return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"
    plain = format(Decimal(repr(number)), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(-0.0)
@example(1e-6)
@example(9.999999e-7)
@example(1e16)
@example(1e21)
@example(123456789012345680000.0)
def test_floats_are_written_as_go_writes_them(number: float) -> None:
    assert go_float(number) == as_go_writes(number)
    assert write([number]) == f"[{go_float(number)}]"
    assert float(go_float(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_computed_float_becomes_what_it_is_when_read_again(number: float) -> None:
    assert normalise(number) == parse(write(number))
    assert normalise([1.0, {"a": 2.5}]) == [1, {"a": 2.5}]
    assert type(normalise(1.0)) is int


def after_the_api_server(text: str) -> str:
    """What the API server makes of a number: int64 if it is one, else float64."""
    if not any(mark in text for mark in ".eE") and -(2**63) <= int(text) < 2**63:
        return str(int(text))
    double = float(text)
    return as_go_writes(double) if abs(double) <= sys.float_info.max else "refused"


@given(number_texts)
@example("-0")
@example("9223372036854775807")
@example("9223372036854775808")
@example("100000000000000000000")
def test_a_number_survives_if_the_api_server_gives_it_back(text: str) -> None:
    value = parse(text)
    beyond_int64 = isinstance(value, int) and not -(2**63) <= value < 2**63
    assert survives(value) == (after_the_api_server(text) == text and not beyond_int64)
    assert survives({"a": [value]}) == survives(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_survives_if_what_it_is_written_as_does(number: float) -> None:
    assert survives(number) == survives(normalise(number))


@given(values)
def test_a_value_weighs_about_as_much_as_its_text(value: Value) -> None:
    size = len(write(value).encode())
    weight = weigh(value, 10**9)
    assert weight <= 2 * size + 8
    assert weight >= size / 6, "control characters take six bytes when written"


def test_what_is_too_big_is_not_weighed_to_the_end() -> None:
    with pytest.raises(TooBig, match="too large"):
        weigh(["x" * 50] * 10**6, 100)
    with pytest.raises(TooBig, match="nested too deeply"):
        weigh([[[1]]], 1000, depth=2)
    deep: Value = 1
    for _ in range(50_000):
        deep = [deep]
    with pytest.raises(TooBig, match="nested too deeply"):
        weigh(deep, 10**9)
