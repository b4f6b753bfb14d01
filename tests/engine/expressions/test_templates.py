"""Templates: JSON with expressions in its strings (semantics: Expressions)."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow_operator.engine.expressions.evaluation import Expression, ExpressionError, InvalidExpression
from flow_operator.engine.expressions.json_text import Number, Value, parse
from flow_operator.engine.expressions.templates import (
    InvalidTemplate,
    RenderedTooLarge,
    compile_template,
    render,
    render_text,
    template_expressions,
)

SCOPE: dict[str, Any] = {
    "input": {
        "one": 1,
        "half": 0.5,
        "price": Number("0.10"),
        "text": "hello",
        "list": [1, {"b": Number("2.50"), "a": None}],
        "yes": True,
        "nothing": None,
        "huge": 2**64,
    },
    "steps": {"self": {"effect": "Applied"}},
}


VARIABLES = (
    "there are error, execution, header, input, response, steps; a string is written in quotes, a step as steps."
)


def rendered(template: Value, scope: dict[str, Any] = SCOPE) -> Value:
    return render(compile_template(template), scope)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("${input.one}", 1),
        ("${input.price}", Number("0.10")),
        ("${input.huge}", 2**64),
        ("${input.list}", [1, {"b": Number("2.50"), "a": None}]),
        ("${input.nothing}", None),
        ("${input.?nope}", None),
        ("${steps.self.?response.?body.?id.orValue('')}", ""),
        ("${input.one + 1}", 2),
        ("${ input.one }", 1),
        ("order ${input.one}", "order 1"),
        (" ${input.one}", " 1"),
        ("${input.one}${input.text}", "1hello"),
        ("${input.text}, ${input.yes}, ${input.half}, ${input.price}", "hello, true, 0.5, 0.10"),
        ("${input.list}!", '[1,{"a":null,"b":2.50}]!'),
        ("${{'a': 1}} and ${[1.0]}", '{"a":1} and [1]'),
        ("no expression", "no expression"),
        ("", ""),
        ("$", "$"),
        ("{}$ {input.one}", "{}$ {input.one}"),
        ("$${input.one}", "${input.one}"),
        ("a $${ b ${input.one} $${c}", "a ${ b 1 ${c}"),
        ("$$${input.one}", "$${input.one}"),
        ("${'$'}${input.one}", "$1"),
        ("${'$'}{input.one}", "${input.one}"),
        (7, 7),
        (None, None),
        (Number("1.0"), Number("1.0")),
        ({"a": ["${input.one}", {"b": "x${input.one}"}], "${k}": "$${"}, {"a": [1, {"b": "x1"}], "${k}": "${"}),
        ([], []),
        ({"a": {}}, {"a": {}}),
        ({"a": None, "b": [None, {"c": None}], "d": "${null}"}, {"b": [None, {}], "d": None}),
        ({"a": None, "b": [None, {"c": None}]}, {"b": [None, {}]}),
        ({"a": "${input.?nope}", "b": "${{?'c': input.?nope}}"}, {"a": None, "b": {}}),
    ],
)
def test_a_template_makes(template: Value, value: Value) -> None:
    assert rendered(template) == value


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("${'}'}!", "}!"),
        ('${"}"}!', "}!"),
        (r"${'\'}'}!", "'}!"),
        (r'${"\"}"}!', '"}!'),
        (r"${'\\'}!", "\\!"),
        (r"${r'\d}'}!", "\\d}!"),
        ("${'''a'}b'''}!", "a'}b!"),
        ('${"""a"}b"""}!', 'a"}b!'),
        ('${r"""a"}\\b"""}!', 'a"}\\b!'),
        ("${size(b'}') == 1}!", "true!"),
        ("${{'a': {'b': '{'}}.a.b}!", "{!"),
        ("${{'}': 2}['}']}!", "2!"),
        ("${input.one // not the end: }\n}!", "1!"),
        ("${'//'}!", "//!"),
        ("${'${'}!", "${!"),
        ("${''}!", "!"),
    ],
)
def test_braces_and_quotes_inside_an_expression_do_not_end_it(template: str, value: str) -> None:
    assert rendered(template) == value


@pytest.mark.parametrize(
    ("template", "path", "reason"),
    [
        ("${", "", "${ without }; a literal ${ is written $${"),
        ("a ${input.one", "", "${ without }; a literal ${ is written $${"),
        ("${{'a': 1}", "", "${ without }; a literal ${ is written $${"),
        ("${input.one // }", "", "${ without }; a literal ${ is written $${"),
        ("${'}", "", "a string in an expression does not end"),
        ("${}", "", "it is empty: write a value, for example input.name"),
        ({"body": {"list": [1, {"n": "${b}"}]}}, ".body.list[1].n", f"column 1: there is no variable b: {VARIABLES}b"),
        ({"header": {"x-a": "${nope}"}}, ".header.x-a", f"column 1: there is no variable nope: {VARIABLES}nope"),
        ({"a b": ["${steps}"]}, '["a b"][0]', "name a step, as in steps.reserve or steps['reserve-stock']: "
         "steps cannot be read as a whole"),
    ],
)  # fmt: skip
def test_a_wrong_template_says_where_and_why(template: Value, path: str, reason: str) -> None:
    with pytest.raises(InvalidTemplate) as error:
        compile_template(template)
    assert error.value.path == path
    assert error.value.reason == reason


def test_every_expression_is_listed_and_every_wrong_one() -> None:
    template: Value = {
        "header": {"x-a": "${nope}", "x-b": "literal", "x-c": "$${x}"},
        "body": [1, {"b": "${input.a} ${1 +} ${steps.reserve.output}"}, "${'"],
    }
    found = [(path, e.source if isinstance(e, Expression) else str(e)) for path, e in template_expressions(template)]
    assert found == [
        (".header.x-a", f"column 1: there is no variable nope: {VARIABLES}nope"),
        (".body[1].b", "input.a"),
        (".body[1].b", "column 4: a value is missing after +"),
        (".body[1].b", "steps.reserve.output"),
        (".body[2]", "a string in an expression does not end"),
    ]
    assert all(isinstance(e, (Expression, InvalidExpression)) for _, e in template_expressions(template))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("http://shop/${input.one}?q=${input.text}", "http://shop/1?q=hello"),
        ("${input.one}", "1"),
        ("${input.price}", "0.10"),
        ("${input.text}", "hello"),
        ("${input.yes}", "true"),
        ("${input.list}", '[1,{"a":null,"b":2.50}]'),
        ("literal", "literal"),
        (8, "8"),
        (True, "true"),
    ],
)
def test_urls_and_headers_are_text(template: Value, text: str) -> None:
    assert render_text(compile_template(template), SCOPE) == text


@pytest.mark.parametrize("template", ["a ${input.nothing}", "${input.?nope}!", "${input.?nope}${input.one}"])
def test_null_has_no_text(template: str) -> None:
    with pytest.raises(
        ExpressionError, match=r"null has no text: give it one, as in input\.\?name\.orValue\(''\), in 'input"
    ):
        rendered(template)


def test_nor_in_a_url() -> None:
    with pytest.raises(ExpressionError, match="null has no text"):
        render_text(compile_template("${input.?nope}"), SCOPE)


@pytest.mark.parametrize("template", ["${input.nope}", "a ${input.nope}", {"a": ["${input.nope}"]}])
def test_a_misspelt_field_sends_nothing(template: Value) -> None:
    with pytest.raises(ExpressionError, match='no such key: "nope"'):
        rendered(template)


def test_an_error_names_the_expression() -> None:
    with pytest.raises(ExpressionError, match=r"no such overload: int \+ double .*, in 'input.one \+ input.half'"):
        rendered({"a": ["${input.one + input.half}"]})


def test_what_is_made_is_bounded_in_size_and_depth() -> None:
    scope: dict[str, Any] = {"input": "a" * 300_000}
    assert rendered(["${input}"] * 3, scope) == [scope["input"]] * 3
    with pytest.raises(RenderedTooLarge, match="what the template makes is too large"):
        rendered(["${input}"] * 4, scope)
    with pytest.raises(RenderedTooLarge):
        rendered("x ${input} ${input} ${input} ${input}", scope)
    deep = {"input": parse("[" * 60 + "]" * 60)}
    assert rendered([[[["${input}"]]]], deep)
    with pytest.raises(RenderedTooLarge, match="nested too deeply"):
        rendered([[[[["${input}"]]]]], deep)
    with pytest.raises(InvalidTemplate, match="nested deeper than 64"):
        compile_template(parse("[" * 65 + "]" * 65, max_depth=65))


@pytest.mark.parametrize(
    "text", ["$${" * 300_000, "${'" * 200_000, "${" * 300_000, '${"""a' * 100_000, "${r'''" * 100_000]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    before = time.process_time()
    try:
        compile_template(text)
    except InvalidTemplate as error:
        assert len(str(error)) < 200  # noqa: PT017
    assert time.process_time() - before < 2


strings = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="${}'a\\") | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=10,
)


def escaped(value: Value) -> Value:
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, list):
        return [escaped(member) for member in value]
    return {key: escaped(member) for key, member in value.items()} if isinstance(value, dict) else value


def without_null_fields(value: Value) -> Value:
    if isinstance(value, list):
        return [without_null_fields(member) for member in value]
    if isinstance(value, dict):
        return {key: without_null_fields(member) for key, member in value.items() if member is not None}
    return value


@given(values)
def test_whatever_is_escaped_stands_as_it_is(value: Value) -> None:
    assert rendered(escaped(value), {}) == without_null_fields(value)
    assert list(template_expressions(escaped(value))) == []


@given(values)
def test_whatever_the_input_is_it_is_copied(value: Value) -> None:
    assert rendered("${input}", {"input": value}) == value


@given(strings)
def test_whatever_the_text_around_is_it_stays(text: str) -> None:
    around = text.replace("$", "")
    assert rendered(f"{around}${{input.one}}{around}") == (f"{around}1{around}" if around else 1)


@given(st.text(alphabet="${}'\"r\\a/ \n", max_size=20))
def test_whatever_is_written_is_a_template_or_not(text: str) -> None:
    try:
        template = compile_template(text)
    except InvalidTemplate as error:
        assert str(error)  # noqa: PT017
        assert any(isinstance(found, InvalidExpression) for _, found in template_expressions(text))
    else:
        assert all(isinstance(found, Expression) for _, found in template_expressions(text))
        assert template == compile_template(text)
