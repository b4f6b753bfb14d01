"""What went wrong in an expression, in words for the person who wrote it.

The library reports `UNKNOWN: No matching overloads found : _+_(int64, double)` when it evaluates and
`ERROR: <input>:1:2: found no matching overload for '_+_' applied to '(int, double)'` when it compiles. Both become
`no such overload: int + double (double(…) makes a double of an int)` (semantics: Expressions).
"""

import json
import re
from typing import Final

_SHOWN: Final = 120

_STATUS: Final = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
_CALL: Final = re.compile(r"(?:\((?P<target>[^()]*)\)\.)?(?P<name>[^\s(]+)(?:\((?P<types>.*)\))?$")
_RUNTIME: Final = re.compile(r"No matching overloads found : (.*)$", re.DOTALL)
_CHECKED: Final = re.compile(
    r"found no matching overload for '(?P<name>[^']+)' applied to '(?P<target>[^.]*\.)?\((?P<types>.*)\)'"
)
_TYPES: Final = {
    "int64": "int",
    "uint64": "uint",
    "null_type": "null",
    "google.protobuf.Duration": "duration",
    "google.protobuf.Timestamp": "timestamp",
}
_EVALUATIONS: Final = tuple(
    (re.compile(pattern, re.DOTALL), reason)
    for pattern, reason in (
        (r"Applying SELECT to non-message type", "a field is selected from something that is not a map"),
        (r"Index error: expected integer type, got (\w+)", r"a list is indexed by int, not \1"),
        (r"Invalid container type: '(\w+)'", r"an item is read from \1, which is not a list or a map"),
        (r"Invalid map key type: '(\w+)'", r"a key of a map cannot be \1"),
        (r"Type conversion error from '(\w+)' to '(\w+)'", r"cannot convert \1 to \2"),
        (r"String to (\w+) conversion failed", r"the string is not a valid \1"),
        (r"<string>\.(\w+)\(.*", r"\1(): a position is beyond the end of the string"),
        (r"optional\.none\(\) dereference", "value() of an optional that is empty: write orValue(…)"),
    )
)
_WITHOUT_TYPES: Final = {
    "!_": "! needs a bool",
    "_&&_": "&& needs a bool on both sides",
    "_||_": "|| needs a bool on both sides",
    "@in": "in needs a list or a map on its right side",
    "_[?_]": ".? needs a map on its left side, [?…] a map or a list",
    "<jump_condition>": "?: needs a bool before the question mark",
    "@not_strictly_false": "a bool is needed",
}
_WRITTEN: Final = {"math.@max": "math.greatest", "math.@min": "math.least", "[]": "[…]"}
_ABSENT_VARIABLES: Final = {
    "input": "the run has no input (input.?name makes it optional)",
    "error": "there is no error: no step failed (error.?reason makes it optional)",
}
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BINARY: Final = re.compile(r"_(\W+|in)_$|@(in)$")


class ExpressionError(Exception):
    """An expression has no value on this data; `reason` says why, the message names the expression, too."""

    def __init__(self, reason: str, source: str) -> None:
        super().__init__(f"{reason}, in {shortened(source)!r}")
        self.reason = reason
        self.source = source


class InvalidExpression(Exception):
    """A text that is no valid expression, whatever the data; the message says why."""


def shortened(source: str) -> str:
    """An expression as it is shown in a message."""
    return source if len(source) <= _SHOWN else f"{source[:_SHOWN]}…"


def no_variable(name: str) -> str:
    """A variable is not there."""
    return _ABSENT_VARIABLES.get(name, f"there is no {name!r} here")


def no_key(key: str | int) -> str:
    """A map does not have a key."""
    shown = json.dumps(key, ensure_ascii=False)
    guarded = f".?{key}" if isinstance(key, str) and _IDENTIFIER.fullmatch(key) else f"[?{shown}]"
    return f"no such key: {shown} ({guarded} makes it optional)"


def no_item(index: int, size: int) -> str:
    """A list is not long enough."""
    return f"no item [{index}] in a list of {size} ([?{index}] makes it optional)"


def explain_evaluation(text: str) -> str:
    """The reason in an error value or exception of an evaluation."""
    text = _STATUS.sub("", text).strip().replace("*opaque*", "optional")
    if overload := _RUNTIME.search(text):
        return _no_overload(overload[1])
    if missing := re.match(r'No value with name "(.*)" found in Activation', text):
        return no_variable(missing[1])
    if key := re.match(r"Key not found in map : (.*)", text, re.DOTALL):
        return _no_key(key[1])
    if index := re.match(r"Index error: index=(-?\d+) size=(\d+)", text):
        return no_item(int(index[1]), int(index[2]))
    for pattern, reason in _EVALUATIONS:
        if found := pattern.match(text):
            return found.expand(reason)
    return text[:1].lower() + text[1:]


def _no_key(shown: str) -> str:
    """The library shows a string key in quotes, single ones if it contains double ones."""
    if shown.startswith("'"):
        return no_key(shown[1:-1])
    try:
        key = json.loads(shown)
    except ValueError:
        key = None
    return no_key(key) if isinstance(key, (str, int)) and key is not True else f"no such key: {shown}"


def explain_overload(message: str) -> str | None:
    """The reason in a complaint of the type checker about values that an operator or a function does not take."""
    overload = _CHECKED.search(message)
    return overload and _described(overload["name"], [_type(name) for name in _split(overload["types"])])


def _no_overload(call: str) -> str:
    parts = _CALL.match(call)
    if parts is None or parts["types"] is None:
        return f"no such overload: {_WITHOUT_TYPES.get(call, call)}"
    types = [_type(name) for name in _split(parts["types"])]
    if parts["target"] is not None:
        return f"no such overload: {_type(parts['target'])}.{parts['name']}({', '.join(types)})"
    return _described(parts["name"], types)


def _described(function: str, types: list[str]) -> str:
    function = _WRITTEN.get(function, function)
    if function == "_?._":
        return f"no such overload: .? needs a map on its left side, not {types[0]}"
    operator = _BINARY.match(function)
    if operator and len(types) == 2:
        shown = f"{types[0]} {operator[1] or operator[2]} {types[1]}"
    elif function in ("!_", "-_"):
        shown = function[0] + types[0]
    elif function in ("_[_]", "_[?_]"):
        shown = f"{types[0]}{function[1:-2]}{types[1]}]"
    elif function == "_?_:_":
        shown = f"{types[0]} ? {types[1]} : {types[2]}"
    else:
        shown = f"{function}({', '.join(types)})"
    return f"no such overload: {shown}{_hint(function, types) if operator else ''}"


def _hint(function: str, types: list[str]) -> str:
    """What to write instead, where that is known."""
    if {"int", "double"} <= set(types):
        return " (double(…) makes a double of an int)"
    if "in" in function and types[-1] == "string":
        return " (of a string write text.contains(…))"
    if function == "_+_" and "string" in types and {"int", "uint", "double", "bool"} & set(types):
        return " (string(…) makes a string of it)"
    return ""


def _type(name: str) -> str:
    name = re.sub(r"optional_type(\(.*\))?", "optional", name.strip())
    return _TYPES.get(name, re.sub(r"T%\d+", "dyn", name))


def _split(types: str) -> list[str]:
    """Split at the commas that are not inside parentheses: `int, map(string, int)`."""
    parts, depth = [""], 0
    for character in types:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
