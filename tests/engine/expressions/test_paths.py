"""A path copies what is there, and fails exactly where CEL would (semantics: Expressions)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.expressions.expression_scope import INPUT, value_of

from flow_operator.engine.expressions.evaluation import ExpressionError, compile_expression
from flow_operator.engine.expressions.json_text import Number, Value


@pytest.mark.parametrize("key", INPUT)
def test_a_path_copies_the_stored_value_untouched(key: str) -> None:
    assert value_of(f"input['{key}']") is INPUT[key]


@pytest.mark.parametrize(
    ("source", "path", "value"),
    [
        ("input.one", ("input", "one"), 1),
        ("input.map.a.b", ("input", "map", "a", "b"), 2),
        ("input.list[1].exact", ("input", "list", 1, "exact"), Number("0.10")),
        ("input.?list[?1].?exact", ("input", "list", 1, "exact"), Number("0.10")),
        ("(input).one", ("input", "one"), 1),
        (".input.one", ("input", "one"), 1),
        ("header['x-tenant']", ("header", "x-tenant"), "acme"),
        ("steps.reserve.output.list[1]", ("steps", "reserve", "output", "list", 1), 2),
        ("steps['reserve-stock'].output[1]", ("steps", "reserve-stock", "output", 1), Number("2.50")),
        ("steps[?'reserve-stock'].?output", ("steps", "reserve-stock", "output"), [1, Number("2.50")]),
        ("execution.name", ("execution", "name"), "order-1"),
        ("input.?nope", ("input", "nope"), None),
        ("input.?nope.nope", ("input", "nope", "nope"), None),
        ("input.map.?a.?nope", ("input", "map", "a", "nope"), None),
        ("input.list[?2]", ("input", "list", 2), None),
        ("input.map[?0]", ("input", "map", 0), None),
        ("steps.?later.output", ("steps", "later", "output"), None),
        ("steps.self.?response.body", ("steps", "self", "response", "body"), None),
        ("error.?step", ("error", "step"), None),
        ("input.nothing", ("input", "nothing"), None),
    ],
)
def test_a_path_gives_what_is_there_or_null_if_it_is_optional(
    source: str, path: tuple[str | int, ...], value: Value
) -> None:
    assert compile_expression(source).path == path
    assert value_of(source) == value


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("input.nope", 'no such key: "nope" (.?nope makes it optional)'),
        ("input.nope.nope", 'no such key: "nope" (.?nope makes it optional)'),
        ("input['a b']", 'no such key: "a b" ([?"a b"] makes it optional)'),
        ("input.nope.?nope", 'no such key: "nope" (.?nope makes it optional)'),
        ("input.map[0]", "no such key: 0 ([?0] makes it optional)"),
        ("input.list[2]", "no item [2] in a list of 2 ([?2] makes it optional)"),
        ("input.text.nope", "the field nope is selected from string, which is not a map"),
        ("input.nothing.?nope", "the field nope is selected from null, which is not a map"),
        ("input.?list.?nope", "the field nope is selected from list, which is not a map"),
        ("input.text[0]", "an item is read from string, which is not a list"),
        ("input.text[?0]", "an item is read from string, which is not a list"),
        ("steps.later.output", 'no such key: "later" (.?later makes it optional)'),
        ("steps.self.response.body", 'no such key: "response" (.?response makes it optional)'),
        ("item", "there is no 'item' here"),
        ("error", "there is no error: no step failed (error.?reason makes it optional)"),
        ("error.step", "there is no error: no step failed (error.?reason makes it optional)"),
    ],
)
def test_a_path_to_something_absent_is_an_error(source: str, reason: str) -> None:
    assert compile_expression(source).path is not None
    with pytest.raises(ExpressionError) as error:
        value_of(source)
    assert error.value.reason == reason


PATHS = st.lists(st.sampled_from([".", ".?"]), min_size=3, max_size=3).map(
    lambda dots: f"input{dots[0]}a{dots[1]}b{dots[2]}c"
)


@given(PATHS, st.sampled_from([{}, {"a": 1}, {"a": {}}, {"a": {"b": None}}, {"a": {"b": {}}}, {"a": {"b": {"c": 5}}}]))
def test_a_path_fails_exactly_where_cel_would(path: str, data: Value) -> None:
    computed = f"[?{path}]" if "?" in path else f"[{path}]"
    try:
        seen = value_of(computed, {"input": data})
    except ExpressionError:
        with pytest.raises(ExpressionError):
            value_of(path, {"input": data})
    else:
        assert value_of(path, {"input": data}) == (seen[0] if isinstance(seen, list) and seen else None)
