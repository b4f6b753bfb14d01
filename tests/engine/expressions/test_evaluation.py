"""What expressions read, give, and refuse (semantics: Expressions)."""

import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.expressions.expression_scope import SCOPE, value_of

from flow_operator.engine.expressions.evaluation import (
    ExpressionError,
    compile_expression,
    evaluate,
    evaluate_condition,
)
from flow_operator.engine.expressions.json_text import Number, Value, normalise, parse, write

NOT_JSON = "which JSON cannot hold: make it a string or a number"


@pytest.mark.parametrize(
    "source", ["input.one + 1", "has(input.one)", "input[input.text]", "input.list[-1]", "1", "[input.one]"]
)
def test_what_is_more_than_a_path_is_computed(source: str) -> None:
    assert compile_expression(source).path is None


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("input.one + 1", 2),
        ("input.half * 3.0", 1.5),
        ("input.half * 2.0", 1),
        ("double(input.one) / 4.0", 0.25),
        ("input['0.10'] * 3.0", 0.30000000000000004),
        ("input['1.0'] + 1.0", 2),
        ("input['1E2'] + 0.5", 100.5),
        ("input['-0'] + 1", 1),
        ("input['zero'] + 1.5", 1.5),
        ("type(input.max) == int", True),
        ("input['2^63'] + '!'", "9223372036854775808!"),
        ("input['2^64'] + '!'", "18446744073709551616!"),
        ("input['1e400'] + '!'", "1e400!"),
        ("input['1e-400'] + '!'", "1e-400!"),
        ("input['0.1 and a bit'] + '!'", "0.1000000000000000055511151231257827!"),
        ("size(input.digits)", 5000),
        ("[input.list, [input['2^63'], 2u]]", [[10, {"exact": 0.1}], ["9223372036854775808", 2]]),
        ("18446744073709551615u", 2**64 - 1),
        ("-0.0", Number("-0")),
        ("{'a': 1.0, 'b': null}", {"a": 1, "b": None}),
        ("input.text + '-' + header['x-tenant']", "hello-acme"),
        ("input.?nope.orValue('none')", "none"),
        ("input.?one.orValue('none')", 1),
        ("optional.none()", None),
        ("optional.of(input.one)", 1),
        ("input.yes ? input.?nope : input.?one", None),
        ("dyn(input.?one)", 1),
        ("dyn(input.?one) // a comment", 1),
        ("[?input.?nope, ?input.?one]", [1]),
        ("{?'a': input.?nope, ?'b': input.?one}", {"b": 1}),
        ("has(input.nope)", False),
        ("has(error.step)", False),
        ("error.?reason.orValue('none')", "none"),
        ("{?'step': error.?step, ?'code': error.?code}", {}),
        ("has(steps.self.response)", False),
        ("steps.self.?response.?body.?id.orValue('')", ""),
        ("steps.reserve.output.id + 1", 8),
        ("input.nothing == null", True),
        ("'a,b'.split(',')", ["a", "b"]),
        ("input.text.replace('l', 'L').upperAscii()", "HELLO"),
        ("['a', 'b'].join('-')", "a-b"),
        ("input.text.matches('^[a-z]{1,63}$')", True),
        ("math.greatest(input.one, 5)", 5),
        ("'\\u00e9' + '\\U0001F600\\n'", "é😀\n"),
    ],
)
def test_what_is_computed_is_what_it_will_be_when_read_again(source: str, value: Value) -> None:
    assert value_of(source) == value
    assert type(value_of(source)) is type(value)
    assert normalise(value_of(source)) == value_of(source)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("input.one + 1.5", "no such overload: int + double (double(…) makes a double of an int)"),
        ("1.5 * input.one", "no such overload: double * int (double(…) makes a double of an int)"),
        ("input.text + input.one", "no such overload: string + int (string(…) makes a string of it)"),
        ("input['2^63'] + 1", "no such overload: string + int (string(…) makes a string of it)"),
        ("input.one + null", "no such overload: int + null"),
        ("dyn(input.?one) + 1", "no such overload: optional + int"),
        ("-input.text", "no such overload: -string"),
        ("input.text && true", "no such overload: && needs a bool on both sides"),
        ("input.text ? 1 : 2", "no such overload: ?: needs a bool before the question mark"),
        ("1 in input.text", "no such overload: in needs a list or a map on its right side"),
        ("input.list.trim()", "no such overload: list.trim()"),
        ("size(input.one)", "no such overload: size(int)"),
        ("input.nope == 1", 'no such key: "nope" (.?nope makes it optional)'),
        ("input['a \"b'] == 1", 'no such key: "a \\"b" ([?"a \\"b"] makes it optional)'),
        ("steps.later.output == 1", 'no such key: "later" (.?later makes it optional)'),
        ("steps.self.response.code == 200", 'no such key: "response" (.?response makes it optional)'),
        ("input.one.nope == 1", "a field is selected from something that is not a map"),
        ("input.list[2] == 1", "no item [2] in a list of 2 ([?2] makes it optional)"),
        ("input.list[-1]", "no item [-1] in a list of 2 ([?-1] makes it optional)"),
        ("input.?text.?nope.orValue(1)", "no such overload: .? needs a map on its left side, [?…] a map or a list"),
        ("input.nothing.?nope.orValue(1)", "no such overload: .? needs a map on its left side, not null"),
        ("item + 1", "there is no 'item' here"),
        ("response.body == 1", "there is no 'response' here"),
        ("error == 1", "there is no error: no step failed (error.?reason makes it optional)"),
        ("[error, error.?step.orValue('')]", "there is no error: no step failed (error.?reason makes it optional)"),
        ("input.one / 0", "divide by zero"),
        ("input.max + 1", "integer overflow"),
        ("int(input.text)", "cannot convert string to int"),
        ("input.text.matches('(')", "invalid regular expression: missing ): ("),
        ("input.half / 0.0", "its value is inf, which JSON cannot hold"),
        ("[0.0 / 0.0]", "its value is nan, which JSON cannot hold"),
        ("dyn(b'x')", "its value is a bytes, which JSON cannot hold: make it a string or a number"),
        (
            "[timestamp('2026-01-01T00:00:00Z')]",
            "its value is a timestamp, which JSON cannot hold: make it a string or a number",
        ),
        ("{'a': [duration('1s')]}", "its value is a duration, which JSON cannot hold: make it a string or a number"),
        ("[type(1)]", "its value is a type, which JSON cannot hold: make it a string or a number"),
        ("{1: 2}", "a key of a map must be string, not int"),
        ("{'a': 1, 'a': 2}", "duplicate key in map"),
        ("[dyn(input.?one)]", "an optional in a list or a map: write [?x] or {?'key': x}"),
        ("{'a': dyn(input.?one)}", "an optional in a list or a map: write [?x] or {?'key': x}"),
        ("optional.of(optional.of(1))", "its value is an optional in an optional"),
    ],
)
def test_an_error_says_what_met_and_where(source: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as error:
        value_of(source)
    assert error.value.reason == reason
    assert str(error.value) == f"{reason}, in {source!r}"


def test_a_condition_is_true_or_false_and_never_anything_else() -> None:
    assert evaluate_condition(compile_expression("input.one > 0"), SCOPE) is True
    assert evaluate_condition(compile_expression("input.yes"), SCOPE) is True
    assert evaluate_condition(compile_expression("'x' == header['x-tenant']"), SCOPE) is False
    for source, kind in [("1", "int"), ("input.nothing", "null"), ("input.text", "string"), ("input.list", "list")]:
        with pytest.raises(ExpressionError, match=f"a condition must be bool, not {kind}"):
            evaluate_condition(compile_expression(source), SCOPE)


class Lazy(Mapping[str, Any]):
    """Remembers what was asked for."""

    def __init__(self, **members: Any) -> None:
        self.members = members
        self.asked: list[str] = []

    def __getitem__(self, key: str) -> Any:
        self.asked.append(key)
        return self.members[key]

    def __contains__(self, key: object) -> bool:
        return key in self.members

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)


@pytest.mark.parametrize("source", ["steps.a.output.id", "steps.a.output.id + 1"])
def test_only_what_is_read_is_asked_for(source: str) -> None:
    step = Lazy(phase="Success", output={"id": 1}, request=None)
    steps = Lazy(a=lambda: step, b=lambda: pytest.fail("b is not read"))
    assert value_of(source, {"steps": steps}) in (1, 2)
    assert set(steps.asked) == {"a"}
    assert set(step.asked) == {"output"}


def test_a_lazy_step_is_copied_as_a_whole() -> None:
    assert value_of("steps.a", {"steps": {"a": lambda: Lazy(output=Lazy(id=1))}}) == {"output": {"id": 1}}


def test_what_the_library_would_mangle_never_reaches_it() -> None:
    for data in ("a\0b", {"a\0b": 1}, [[{"a": "\0"}]]):
        assert value_of("input", {"input": data}) == data
        with pytest.raises(ExpressionError, match="a string contains the character NUL"):
            value_of("input == input", {"input": data})
    with pytest.raises(ExpressionError, match="lone surrogate"):
        value_of("input + ''", {"input": "\ud800"})
    with pytest.raises(ExpressionError, match="lone surrogate"):
        value_of("size(input)", {"input": {"\ud800": 1}})


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal")
def test_nulls_do_not_wear_out_none() -> None:
    expression = compile_expression("[null, input.nothing, {'a': null}, optional.none().orValue(null)]")
    before = sys.getrefcount(None)
    for _ in range(2000):
        evaluate(expression, SCOPE)
    assert sys.getrefcount(None) > before - 1000


strings = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=10,
).map(normalise)


def as_seen(value: Value) -> Value:
    """A value that has been through CEL: what int and double cannot hold is text."""
    if isinstance(value, dict):
        return {key: as_seen(member) for key, member in value.items()}
    if isinstance(value, list):
        return [as_seen(member) for member in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return 0 if value == Number("-0") else value


@given(values)
def test_a_value_comes_through_unharmed(value: Value) -> None:
    assert value_of("input.x", {"input": {"x": value}}) == value
    assert value_of("[input]", {"input": value}) == [as_seen(value)]
    assert value_of("input == input && [input] == [input]", {"input": value}) is True


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
def test_a_number_is_text_exactly_if_no_int_and_no_double_is_that_number(text: str) -> None:
    seen = value_of("[input][0]", {"input": parse(text)})
    if isinstance(seen, str):
        assert seen == text
        assert Decimal(repr(float(text))) != Decimal(text) or "." not in text
    else:
        assert Decimal(write(seen)) == Decimal(text)
