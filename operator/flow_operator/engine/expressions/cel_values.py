"""Values on their way into CEL and out of it (semantics: Expressions).

Into it goes only what an expression reads: `input.amount` hands over one number, however large the input is. A number
becomes text if CEL's int and double cannot hold it. Out of it comes what JSON can hold, as it will be when it has been
stored and read again.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import reduce
from itertools import takewhile
from math import isfinite
from typing import Any, Final, TypeAlias, cast

from cel_expr_python import cel

from flow_operator.engine.expressions.expression_errors import no_item, no_key, no_variable
from flow_operator.engine.expressions.json_text import (
    INT64_MAX,
    INT64_MIN,
    MAX_DEPTH,
    Number,
    Value,
    normalise,
    weigh,
)
from flow_operator.engine.expressions.reads import Path

Scope: TypeAlias = Mapping[str, Any]
"""Variable → value. Mappings of any class are read key by key, so they may be lazy; a step may be a function that
returns its value, called only if the step is read."""

Tree: TypeAlias = Mapping[str, "Tree"]
"""The keys to hand over, below each the same; a key with nothing below stands for all there is."""

MAX_CONTEXT: Final = 256 * 1024
MAX_RESULT: Final = 1024 * 1024

_MESSAGE_LEVELS: Final = 4  # steps.<id>.response.body lies above a body, which may be 64 deep
_ERROR: Final = cel.Type.ERROR
_NULL: Final = cel.Type.NULL
_NOT_ZERO: Final = re.compile(r"[-0.]*[1-9]")
_ABSENT: Final = object()
_KINDS: Final = {
    "NoneType": "null",
    "float": "double",
    "str": "string",
    "dict": "map",
    "Number": "number",
    "bytearray": "bytes",
    "datetime": "timestamp",
    "timedelta": "duration",
    "Type": "type",
}


class Unusable(Exception):
    """The data cannot go in, or the result cannot come out; the message says why."""


class IsError(Exception):
    """The result is an error of the evaluation; the message is the library's."""


class IsOptional(Exception):
    """The result is an optional, whose value the library does not give out."""


def kind(value: object) -> str:
    """The name of a value's type in CEL."""
    name = type(value).__name__
    return _KINDS.get(name, name)


def tree(paths: Iterable[Path]) -> Tree:
    """The keys that these paths lead through, up to the first index into a list."""
    root: dict[str, Any] = {}
    whole: tuple[str, ...] = ()
    for names in sorted({tuple(takewhile(lambda key: isinstance(key, str), path)) for path in paths}):
        if not whole or names[: len(whole)] != whole:
            whole = cast("tuple[str, ...]", names)
            reduce(lambda node, name: node.setdefault(name, {}), whole, root)
    return root


def copy(scope: Scope, path: Path, guarded_from: int) -> Value:
    """The stored value at a path, untouched; null if nothing is there from `guarded_from` on. Raises Unusable.

    It fails where CEL would, so that `${input.?a.b}` and `${input.?a.b.orValue(null)}` are the same.
    """
    value: Any = scope
    for position, key in enumerate(path):
        found = _member(value, key)
        if found is _ABSENT:
            if position >= guarded_from and isinstance(value, Mapping if isinstance(key, str) else (Mapping, list)):
                return None
            raise Unusable(_nothing_there(value, key, path[:position]))
        value = found
    copied: Value = _plain(value)
    return copied


def weight(scope: Scope, path: Path) -> int:
    """About the bytes of the value at a path."""
    value: Any = scope
    for key in path:
        value = _member(value, key)
    return 0 if value is _ABSENT else weigh(_plain(value), 4 * MAX_CONTEXT, MAX_DEPTH + _MESSAGE_LEVELS)


class HandOver:
    """Makes the data of one evaluation. A guarded variable that is absent is an empty map: `error.?step` is none."""

    def __init__(self, scope: Scope, keys: Tree, guarded: Iterable[str]) -> None:
        self.size = 0
        """Bytes so far."""
        self.data: dict[str, Any] = {root: {} for root in guarded}
        self.data |= {root: self._select(scope[root], below) for root, below in keys.items() if root in scope}

    def _select(self, value: Any, keys: Tree) -> Any:
        if callable(value):
            value = value()
        if not keys or not isinstance(value, Mapping):
            return self._converted(value, MAX_DEPTH + _MESSAGE_LEVELS)
        return {key: self._select(value[key], below) for key, below in keys.items() if key in value}

    def _converted(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            self._count(len(value if value.isascii() else _utf8(value)) + 3)
            if "\0" in value:
                raise Unusable("a string contains the character NUL")  # the library would cut it off there
            return value
        self._count(8)
        if value is None or isinstance(value, (bool, float)):
            return value
        if isinstance(value, int):
            return value if INT64_MIN <= value <= INT64_MAX else self._converted(str(value), depth)
        if isinstance(value, Number):
            return self._number(value.text)
        if depth == 0:
            raise Unusable(f"the data is nested deeper than {MAX_DEPTH}")
        if isinstance(value, Mapping):
            return {self._converted(key, depth): self._converted(member, depth - 1) for key, member in value.items()}
        return [self._converted(member, depth - 1) for member in value]

    def _number(self, text: str) -> int | float | str:
        """A number that is text: still a number if CEL can hold the very value."""
        self._count(len(text))
        double = float(text)
        if not any(mark in text for mark in ".eE"):
            return int(text) if abs(double) < 2.0**53 else text
        if double == 0:
            return text if _NOT_ZERO.match(text) else double
        return double if isfinite(double) and Decimal(text) == Decimal(repr(double)) else text

    def _count(self, size: int) -> None:
        self.size += size
        if self.size > MAX_CONTEXT:
            raise Unusable(f"it reads more than {MAX_CONTEXT // 1024} KiB")


class Result:
    """Takes one result out of CEL."""

    def __init__(self) -> None:
        self._left = MAX_RESULT

    def take(self, value: Any, depth: int = MAX_DEPTH) -> Value:
        """The JSON value of a `cel.Value`.

        Two calls would kill the process: `plain_value()` when an optional is in a map, and, before Python 3.12,
        `value()` of many nulls, each of which gives back a reference to None that was never taken.
        """
        type_ = value.type()
        if type_ == _NULL:
            return self._counted(None, 4)
        try:
            plain = value.value()
        except TypeError:
            if depth == MAX_DEPTH:
                raise IsOptional from None
            raise Unusable("an optional in a list or a map: write [?x] or {?'key': x}") from None
        if isinstance(plain, str):
            if type_ == _ERROR:
                raise IsError(plain)
            return self._counted(plain, len(plain) + 3)
        if isinstance(plain, (list, dict)):
            return self._members(plain, depth - 1)
        return self._counted(_scalar(plain), 4)

    def _members(self, plain: list[Any] | dict[Any, Any], depth: int) -> Value:
        if depth < 0:
            raise Unusable(f"its value is nested deeper than {MAX_DEPTH}")
        if isinstance(plain, list):
            return self._counted([self.take(member, depth) for member in plain], 2)
        for key in plain:
            if not isinstance(key, str):
                raise Unusable(f"a key of a map must be string, not {kind(key)}")
            self._counted(key, len(key) + 3)
        return {key: self.take(member, depth) for key, member in plain.items()}

    def _counted(self, value: Value, size: int) -> Value:
        self._left -= size
        if self._left < 0:
            raise Unusable(f"its value is larger than {MAX_RESULT // 1024} KiB")
        return value


def _scalar(plain: object) -> Value:
    if isinstance(plain, int):
        return plain
    if isinstance(plain, float):
        if not isfinite(plain):
            raise Unusable(f"its value is {plain}, which JSON cannot hold")
        return normalise(plain)
    raise Unusable(f"its value is a {kind(plain)}, which JSON cannot hold: make it a string or a number")


def _member(value: Any, key: str | int) -> Any:
    if isinstance(key, str):
        found = value[key] if isinstance(value, Mapping) and key in value else _ABSENT
    else:
        found = value[key] if isinstance(value, list) and key < len(value) else _ABSENT
    return found() if callable(found) else found


def _nothing_there(value: Any, key: str | int, before: Path) -> str:
    """Why there is nothing at a key of the value that lies at the path before it."""
    if not before:
        return no_variable(str(key))
    if isinstance(value, Mapping):
        return no_key(key)
    if isinstance(key, str):
        return f"the field {key} is selected from {kind(value)}, which is not a map"
    if isinstance(value, list):
        return no_item(key, len(value))
    return f"an item is read from {kind(value)}, which is not a list"


def _plain(value: Any) -> Any:
    """The value itself, unless it is a lazy mapping."""
    if isinstance(value, Mapping) and not isinstance(value, dict):
        return {key: _plain(value[key]) for key in value}
    return value


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Unusable("a string contains a lone surrogate") from None
