"""The syntax tree of a CEL expression, read from the wire form of `cel.expr.ParsedExpr`.

The library gives the tree only as a serialized protobuf. Reading these few messages takes less than depending on
protobuf would: a message is a list of fields, each a number with an integer, eight bytes, or a length and bytes.
Field numbers are those of https://github.com/google/cel-spec/blob/master/proto/cel/expr/syntax.proto.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

_VARINT: Final = 0
_EIGHT_BYTES: Final = 1
_LENGTH: Final = 2


@dataclass(frozen=True, slots=True)
class Constant:
    """A string or int literal; every other literal is None, for nobody asks."""

    value: str | int | None


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or the name of a type."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `has(operand.field)` with `test`."""

    operand: "Node"
    field: str
    test: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator, the target of a method being the first argument; a list, too, with the name `[]`."""

    function: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Construction:
    """`{key: value}`, or `Message{field: value}` with the name of its type."""

    message: str
    members: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """What all, exists, map, filter, cel.bind and optMap expand to."""


Node: TypeAlias = Constant | Name | Select | Call | Construction | Loop
_Fields: TypeAlias = dict[int, list[bytes | int]]


def syntax_tree(serialized: bytes) -> Node:
    """The tree of `compile(source, disable_check=True).serialize()`, which is an `Any` of a `ParsedExpr`."""
    parsed = _message(_fields(serialized), 2)
    return _node(_fields(_message(_fields(parsed), 2)))


def _node(fields: _Fields) -> Node:
    if 3 in fields:
        return _constant(_fields(_message(fields, 3)))
    if 4 in fields:
        return Name(_text(_fields(_message(fields, 4)), 1))
    if 5 in fields:
        select = _fields(_message(fields, 5))
        return Select(_child(select, 1), _text(select, 2), 3 in select)
    if 6 in fields:
        call = _fields(_message(fields, 6))
        target = (_child(call, 1),) if 1 in call else ()
        return Call(_text(call, 2), target + tuple(_children(call, 3)))
    if 7 in fields:
        return Call("[]", tuple(_children(_fields(_message(fields, 7)), 1)))
    if 8 in fields:
        return _construction(_fields(_message(fields, 8)))
    return Loop()


def _constant(fields: _Fields) -> Constant:
    if 6 in fields:
        return Constant(_text(fields, 6))
    number = fields.get(3, [None])[0]
    if isinstance(number, int):
        return Constant(number - 2**64 if number >= 2**63 else number)
    return Constant(None)


def _construction(fields: _Fields) -> Construction:
    members: list[Node] = []
    for entry in fields.get(2, ()):
        assert isinstance(entry, bytes)
        parts = _fields(entry)
        members += (_child(parts, part) for part in (3, 4) if part in parts)
    return Construction(_text(fields, 1), tuple(members))


def _children(fields: _Fields, number: int) -> Iterator[Node]:
    for child in fields.get(number, ()):
        assert isinstance(child, bytes)
        yield _node(_fields(child))


def _child(fields: _Fields, number: int) -> Node:
    return _node(_fields(_message(fields, number)))


def _text(fields: _Fields, number: int) -> str:
    return _message(fields, number).decode()


def _message(fields: _Fields, number: int) -> bytes:
    value = fields.get(number, [b""])[-1]
    assert isinstance(value, bytes)
    return value


def _fields(message: bytes) -> _Fields:
    fields: _Fields = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value: bytes | int
        if key & 7 == _VARINT:
            value, at = _varint(message, at)
        else:
            length = 8 if key & 7 == _EIGHT_BYTES else 4
            if key & 7 == _LENGTH:
                length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        fields.setdefault(key >> 3, []).append(value)
    return fields


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at
