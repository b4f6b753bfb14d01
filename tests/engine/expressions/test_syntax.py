"""What is known of an expression before any data is there (semantics: Expressions)."""

import pytest

from flow_operator.engine.expressions.evaluation import InvalidExpression, compile_expression


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "it is empty"),
        ("1 +", r"column 4: a value is missing after \+"),
        ("'abc", "a string that does not end"),
        ("\ud800", "a lone surrogate"),
        ("input.a\0 + 1", "the character NUL"),
        ("'\\ud800'", "an escape that stands for no character"),
        ("'" + "é" * 2048 + "'", "longer than 4 KiB"),
        ("order.id", "there is no variable order"),
        ("now()", "there is no function now"),
        ("1 + 1.5", r"column 3: no such overload: int \+ double \(double\(…\) makes a double of an int\)"),
        ("'a' + 1", r"no such overload: string \+ int"),
        ("true ? 1 : 'a'", r"no such overload: bool \? int : string"),
        ("1 == '1'", "no such overload: int == string"),
        ("optional.of(1) + 1", r"no such overload: optional \+ int"),
        ("{'a': input.?b}", "an optional in a list or a map"),
        ("b'x'", "its value is a bytes"),
        ("timestamp(input.text)", "its value is a timestamp"),
        ("type(1)", "its value is a type"),
        ("steps", "name a step"),
        (".steps", "name a step"),
        ("size(steps)", "name a step"),
        ("'reserve' in steps", "name a step"),
        ("dyn(steps).reserve", "name a step"),
        ("[steps][0]", "name a step"),
        ("steps[0]", "name a step"),
        ("steps[input.text]", "a computed index into steps"),
        ("steps[?header.x].?output", "a computed index into steps"),
        ("(steps)['a' + 'b']", "a computed index into steps"),
        ("google.protobuf.Struct{}", "only maps can be made, no messages"),
    ],
)
def test_what_is_no_expression_is_a_finding(source: str, reason: str) -> None:
    with pytest.raises(InvalidExpression, match=reason):
        compile_expression(source)


@pytest.mark.parametrize(
    ("source", "roots", "steps"),
    [
        ("1 + 1", set(), set()),
        ("input.a > 0 && header.x == 'y'", {"input", "header"}, set()),
        ("input[header.x]", {"input", "header"}, set()),
        ("steps.a.output.x + steps['b-c'].output.y", {"steps"}, {"a", "b-c"}),
        ("steps[?'a'].?output.orValue(steps.?b.?output)", {"steps"}, {"a", "b"}),
        ("has(steps.self.response) || item > index", {"steps", "item", "index"}, {"self"}),
        ("{'k': [error.message, execution.name], 'l': .response.code}", {"error", "execution", "response"}, set()),
        ("'input.a steps.b'", set(), set()),
        ("type(input) == map", {"input"}, set()),
        ("[1, {'steps': 2}.steps]", set(), set()),
    ],
)
def test_its_syntax_says_what_it_reads(source: str, roots: set[str], steps: set[str]) -> None:
    expression = compile_expression(source)
    assert expression.roots == roots
    assert expression.steps == steps


@pytest.mark.parametrize(
    ("source", "unguarded"),
    [
        ("steps.self.response.code", True),
        ("steps.self.response.code == 200", True),
        ("steps['self']['response']['code']", True),
        ("[steps.self.response]", True),
        ("has(steps.self.response.body)", True),
        ("has(steps.self.response) ? steps.self.response.code : 0", True),
        ("steps.self.?response.?body", False),
        ("steps.self.?response.body", False),
        ("steps.self[?'response'].orValue(1)", False),
        ("steps.?self.response.orValue(1)", False),
        ("has(steps.self.response)", False),
        ("steps.self.effect", False),
        ("steps.other.response.code", False),
    ],
)
def test_whether_the_response_is_read_without_a_guard(source: str, unguarded: bool) -> None:
    assert (("steps", "self", "response") in compile_expression(source).unguarded) is unguarded


@pytest.mark.parametrize(
    ("source", "kind", "may_be"),
    [
        ("input.a == 1", "bool", True),
        ("input.a", "bool", True),
        ("input.?a", "bool", True),
        ("1", "bool", False),
        ("'a'", "bool", False),
        ("[input.a]", "list", True),
        ("{'a': 1}", "list", False),
        ("input.?a.orValue([])", "list", True),
    ],
)
def test_what_type_it_may_have_is_known_before(source: str, kind: str, may_be: bool) -> None:
    assert compile_expression(source).may_be(kind) is may_be
