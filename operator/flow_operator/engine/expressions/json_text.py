"""Exact JSON: the same value in memory, in the API server and on the wire.

The rules of this room (semantics: Messages):

- Numbers keep their text. A number becomes an int or a float only if writing it back gives the very same text;
  every other one (`0.10`, `1.0`, `1e400`, `-0`) is a `Number`, which is that text.
- What is written is canonical: keys sorted by code point, no blanks, UTF-8 unescaped, floats in the form that Go gives
  them, because the API server is written in Go. The same value gives the same bytes.
- Duplicate keys, lone surrogates, NaN and nesting deeper than 64 are not JSON.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from json.encoder import encode_basestring
from typing import Any, Final, TypeAlias

MAX_DEPTH: Final = 64
INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

# Python converts no integer of more than 4300 digits, and those before it in quadratic time.
_MAX_DIGITS: Final = 4000

_LARGEST: Final = sys.float_info.max

# Where Python's shortest form of a float may differ from Go's: 1.0, 1e-05, 1e-07, 1e+16 to 1e+20.
_OTHER_FLOAT_FORM: Final = re.compile(r"[0-9](?:\.0(?![0-9])|e-0|e\+1[6-9]|e\+20)")

# A string that never ends takes the rest of the text, so that no text is scanned twice.
_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS: Final = re.compile(r"[^\[\]{}]+")
_NESTING: Final = {"[": 1, "{": 1, "]": -1, "}": -1}
_ESCAPED_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class NotJSON(ValueError):
    """The text or value is not JSON as semantics.md means it; the message says why."""


class TooBig(ValueError):
    """A value is larger or deeper than it may be; the message says which."""


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number whose text would not survive an int or a double."""

    text: str


Value: TypeAlias = bool | int | float | Number | str | list["Value"] | dict[str, "Value"] | None


def parse(text: str | bytes, max_depth: int = MAX_DEPTH) -> Value:
    """The value of a JSON text, every number with its text kept. Raises NotJSON."""
    try:
        source = text.decode() if isinstance(text, bytes) else text
        _check_nesting(source, max_depth)
        value: Value = _DECODER.decode(source)
        if source is text and not source.isascii():
            source.encode()
        if _ESCAPED_SURROGATE.search(source):
            write(value)
    except UnicodeDecodeError:
        raise NotJSON("not UTF-8") from None
    except UnicodeEncodeError:
        raise NotJSON("lone surrogate") from None
    except json.JSONDecodeError as error:
        raise NotJSON(f"{error.msg} at character {error.pos}") from None
    return value


def write(value: Value) -> str:
    """The canonical text of a value. Raises NotJSON for NaN, infinities and lone surrogates."""
    try:
        text = _text(value)
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:
        raise NotJSON("lone surrogate") from None
    except (ValueError, RecursionError) as error:
        raise NotJSON(str(error)) from None
    return text


def survives(value: Value) -> bool:
    """Whether the API server, which knows int64 and float64 only, keeps every number of a value as it is."""
    if isinstance(value, int):
        return INT64_MIN <= value <= INT64_MAX
    if value is None or isinstance(value, str):
        return True
    if isinstance(value, dict):
        return all(map(survives, value.values()))
    if isinstance(value, list):
        return all(map(survives, value))
    return isinstance(value, float) and _survives_as_float(value)


def normalise(value: Value) -> Value:
    """What a computed value is once it is stored and read: `parse(write(value))`, so that 1.0 is the integer 1."""
    if value is None or isinstance(value, bool):
        return value
    return parse(write(value))


def weigh(value: Value, most: int, depth: int = MAX_DEPTH) -> int:
    """About the bytes of a value's text. Raises TooBig beyond `most` bytes or `depth` levels, looking no further."""
    if isinstance(value, str):
        size = len(value if value.isascii() else value.encode()) + 2
    elif isinstance(value, (list, dict)):
        size = _weigh_members(value, most, depth - 1)
    elif isinstance(value, Number):
        size = len(value.text)
    else:
        size = 5 if value is None or isinstance(value, bool) else len(repr(value))
    if size > most:
        raise TooBig("too large")
    return size


def _weigh_members(value: list[Value] | dict[str, Value], most: int, depth: int) -> int:
    if depth < 0:
        raise TooBig("nested too deeply")
    if isinstance(value, list):
        size = 2 + len(value)
        members: Iterator[Value] | Any = value
    else:
        size = 2 + sum(len(key) + 4 for key in value)
        members = value.values()
    for member in members:
        size += weigh(member, most - size, depth)
    return size


def _check_nesting(text: str, max_depth: int) -> None:
    """A linear scan: the decoder recurses, and text of some kilobytes can nest deeper than any stack."""
    if text.count("[") + text.count("{") <= max_depth:
        return
    brackets = _NO_BRACKETS.sub("", _STRING.sub("", text))
    if max(accumulate(map(_NESTING.__getitem__, brackets)), default=0) > max_depth:
        raise NotJSON(f"nested deeper than {max_depth}")


def _integer(text: str) -> int | Number:
    return int(text) if len(text) <= _MAX_DIGITS and text != "-0" else Number(text)


def _fraction(text: str) -> float | Number:
    number = float(text)
    if repr(number) == text and not _OTHER_FLOAT_FORM.search(text):
        return number
    return number if abs(number) <= _LARGEST and go_float(number) == text else Number(text)


def go_float(number: float) -> str:
    """A float64 as Go's encoding/json writes it: shortest round trip, an exponent only below 1e-6 and from 1e21 on."""
    if not abs(number) <= _LARGEST:
        raise NotJSON(f"{number} is not a JSON number")
    text = repr(number)
    mantissa, _, exponent = text.partition("e")
    if exponent and 1e-6 <= abs(number) < 1e21:
        return _positional(mantissa, int(exponent))
    return text.removesuffix(".0").replace("e-0", "e-")


def _positional(mantissa: str, exponent: int) -> str:
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{whole}{fraction}"
    return f"{sign}{whole}{fraction.ljust(exponent, '0')}"


def _survives_as_float(number: float) -> bool:
    if number == 0:
        return not repr(number).startswith("-")
    return abs(number) < 2.0**63 or 1e21 <= abs(number) <= _LARGEST


def _refuse_constant(name: str) -> Any:
    raise NotJSON(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise NotJSON(f"duplicate key {twice!r}")
    return members


class _HasNumber(Exception):
    """The quick encoder met a number that it cannot write."""


def _not_quick(value: object) -> Any:
    if isinstance(value, Number):
        raise _HasNumber
    raise NotJSON(f"{type(value).__name__} is not a JSON value")


def _text(value: Value) -> str:
    """By the quick encoder if it can: it knows neither Number nor Go's form of floats."""
    try:
        text = _ENCODER.encode(value)
    except _HasNumber:
        return "".join(_pieces(value))
    return "".join(_pieces(value)) if _OTHER_FLOAT_FORM.search(text) else text


def _pieces(value: Value) -> Iterator[str]:
    """The text of any value, slowly."""
    if isinstance(value, dict):
        before = "{"
        for key in sorted(value):
            yield f"{before}{encode_basestring(key)}:"
            yield from _pieces(value[key])
            before = ","
        yield "}" if value else "{}"
    elif isinstance(value, (list, tuple)):
        before = "["
        for member in value:
            yield before
            yield from _pieces(member)
            before = ","
        yield "]" if value else "[]"
    elif isinstance(value, Number):
        yield value.text
    elif isinstance(value, float):
        yield go_float(value)
    else:
        yield _ENCODER.encode(value)


_DECODER: Final = json.JSONDecoder(
    parse_int=_integer, parse_float=_fraction, parse_constant=_refuse_constant, object_pairs_hook=_object
)
_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=_not_quick, check_circular=False
)
