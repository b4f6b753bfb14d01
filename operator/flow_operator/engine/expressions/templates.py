"""Templates: JSON with expressions in its strings (semantics: Expressions).

    "${input.amount}"           exactly one expression: its value, whatever the type
    "order ${input.id}!"        text around expressions: their values written into the text
    "a literal $${"             the text `a literal ${`

Strings anywhere in lists and values of maps are templates; keys are not. In a text a string stands as it is, every
other value as JSON, and null has no text: that is an ExpressionError. A dollar sign before a value is `${'$'}${…}`.

A field that is null here is left out, since Kubernetes' clients drop nulls: the same file must make the same message,
however it was applied. `${null}` sends one, and so does every other expression whose value is null.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from flow_operator.engine.expressions.evaluation import (
    Expression,
    ExpressionError,
    InvalidExpression,
    Scope,
    compile_expression,
    evaluate,
)
from flow_operator.engine.expressions.json_text import MAX_DEPTH, TooBig, Value, weigh, write

MAX_RENDERED: Final = 1024 * 1024

_LEXEME: Final = re.compile(
    r"""
      (?<![A-Za-z0-9_]) (?: [rR][bB]? | [bB][rR] )                                         # raw strings: no escapes
        (?: \"{3} .*? \"{3} | '{3} .*? '{3} | \"[^\"\r\n]*\" | '[^'\r\n]*' )
    | \"{3} (?: \\. | [^\\] )*? \"{3} | '{3} (?: \\. | [^\\] )*? '{3}
    | \" (?: \\. | [^\"\\\r\n] )* \" | ' (?: \\. | [^'\\\r\n] )* '
    | //[^\n]*
    | [{}\"']
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class InvalidTemplate(InvalidExpression):
    """A string is no valid template; `path` says which, as in `.body.items[2].name`."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


class RenderedTooLarge(ExpressionError):
    """What a template makes is larger than any message may be."""


@dataclass(frozen=True, slots=True)
class _Literal:
    value: Value


@dataclass(frozen=True, slots=True)
class _Hole:
    expression: Expression


@dataclass(frozen=True, slots=True)
class _Text:
    parts: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class _Sequence:
    items: tuple["_Node", ...]


@dataclass(frozen=True, slots=True)
class _Members:
    members: Mapping[str, "_Node"]


_Node: TypeAlias = _Literal | _Hole | _Text | _Sequence | _Members


@dataclass(frozen=True, slots=True)
class Template:
    """A valid template. What it renders shares its literal parts: it must not be changed."""

    root: _Node


def compile_template(value: Value) -> Template:
    """A template from its JSON. Raises InvalidTemplate for the first expression that is wrong."""
    return Template(_compiled(value, ""))


def template_expressions(value: Value) -> Iterator[tuple[str, Expression | InvalidExpression]]:
    """Every expression of a template with the path of its string, the wrong ones as what is wrong with them."""
    for path, text in _strings(value, "", MAX_DEPTH):
        try:
            sources = [part.source for part in _split(text) if isinstance(part, _Source)]
        except InvalidExpression as error:
            yield path, error
            continue
        for source in sources:
            try:
                yield path, compile_expression(source)
            except InvalidExpression as error:
                yield path, error


def render(template: Template, scope: Scope) -> Value:
    """The value that a template makes. Raises ExpressionError."""
    return _Rendering(scope).value(template.root, MAX_DEPTH)


def render_text(template: Template, scope: Scope) -> str:
    """The text that a template makes, for a URL or the value of a header. Raises ExpressionError."""
    root = template.root
    rendering = _Rendering(scope)
    if isinstance(root, _Hole):
        return rendering.text(root.expression)
    value = rendering.value(root, MAX_DEPTH)
    return value if isinstance(value, str) else write(value)


class _Rendering:
    """One rendering, which counts what the expressions bring in."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._left = MAX_RENDERED

    def value(self, node: _Node, depth: int) -> Value:
        match node:
            case _Literal(value):
                return value
            case _Hole(expression):
                return self._evaluated(expression, depth)
            case _Text(parts):
                return "".join(part if isinstance(part, str) else self.text(part) for part in parts)
            case _Sequence(items):
                return [self.value(item, depth - 1) for item in items]
            case _Members(members):
                return {key: self.value(member, depth - 1) for key, member in members.items()}

    def text(self, expression: Expression) -> str:
        value = self._evaluated(expression, MAX_DEPTH)
        if value is None:
            raise ExpressionError("null has no text: give it one, as in input.?name.orValue('')", expression.source)
        return value if isinstance(value, str) else write(value)

    def _evaluated(self, expression: Expression, depth: int) -> Value:
        value = evaluate(expression, self._scope)
        try:
            self._left -= weigh(value, self._left, depth)
        except TooBig as error:
            raise RenderedTooLarge(f"what the template makes is {error}", expression.source) from None
        return value


def _compiled(value: Value, path: str, depth: int = MAX_DEPTH) -> _Node:
    if isinstance(value, str):
        return _compiled_text(value, path)
    if not isinstance(value, (list, dict)):
        return _Literal(value)
    if depth == 0:
        raise InvalidTemplate(path, f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        value = {key: member for key, member in value.items() if member is not None}
    nodes = {place: _compiled(member, path + place, depth - 1) for place, member in _members(value)}
    if all(isinstance(node, _Literal) for node in nodes.values()):
        literals = [node.value for node in nodes.values() if isinstance(node, _Literal)]
        return _Literal(dict(zip(value, literals, strict=True)) if isinstance(value, dict) else literals)
    if isinstance(value, dict):
        return _Members(dict(zip(value, nodes.values(), strict=True)))
    return _Sequence(tuple(nodes.values()))


def _compiled_text(text: str, path: str) -> _Node:
    try:
        parts = [part if isinstance(part, str) else compile_expression(part.source) for part in _split(text)]
    except InvalidExpression as error:
        raise InvalidTemplate(path, str(error)) from None
    if not parts:
        return _Literal("")
    if len(parts) > 1:
        return _Text(tuple(parts))
    return _Literal(parts[0]) if isinstance(parts[0], str) else _Hole(parts[0])


def _strings(value: Value, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (list, dict)) and depth:
        for place, member in _members(value):
            yield from _strings(member, path + place, depth - 1)


def _members(value: "list[Value] | dict[str, Value]") -> Iterator[tuple[str, Value]]:
    if isinstance(value, list):
        return ((f"[{index}]", member) for index, member in enumerate(value))
    return ((f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{write(key)}]", member) for key, member in value.items())


@dataclass(frozen=True, slots=True)
class _Source:
    """The text of an expression between `${` and `}`."""

    source: str


def _split(text: str) -> list["str | _Source"]:
    """The literal and the computed parts of a string, no literal part being empty or next to another."""
    parts: list[str | _Source] = []
    literal: list[str] = []
    at = 0
    while (start := text.find("${", at)) >= 0:
        if start > at and text[start - 1] == "$":
            literal += text[at : start - 1], "${"
            at = start + 2
            continue
        literal.append(text[at:start])
        end = _end(text, start + 2)
        parts += "".join(literal), _Source(text[start + 2 : end])
        literal, at = [], end + 1
    parts.append("".join([*literal, text[at:]]))
    return [part for part in parts if part]


def _end(text: str, start: int) -> int:
    """The position of the brace that closes an expression: not in a string, a comment or a map."""
    open_braces = 0
    for lexeme in _LEXEME.finditer(text, start):
        match lexeme[0]:
            case "{":
                open_braces += 1
            case "}" if open_braces == 0:
                return lexeme.start()
            case "}":
                open_braces -= 1
            case '"' | "'":
                raise InvalidExpression("a string in an expression does not end")
    raise InvalidExpression("${ without }; a literal ${ is written $${")
