"""What is wrong with a string that is not a valid expression, and what to write instead.

The parser says `Syntax error: token recognition error at: '= '`, which helps whoever wrote the parser. So only the
place and the kind of its complaints are used: a syntax error is explained from the text, by the habits that people
bring from other languages, and the parser's own words are never shown.
"""

import re
from collections.abc import Iterator
from typing import Final

from flow_operator.engine.expressions.expression_errors import explain_overload, shortened
from flow_operator.engine.expressions.reads import ROOTS
from flow_operator.engine.expressions.spelling import did_you_mean

_MOST: Final = 20
_COMPLAINT: Final = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_LITERAL: Final = re.compile(
    r"""
      (?<![A-Za-z0-9_]) (?: [rR][bB]? | [bB][rR] )
        (?: \"{3} .*? \"{3} | '{3} .*? '{3} | \"[^\"\r\n]*\" | '[^'\r\n]*' )
    | \"{3} (?: \\. | [^\\] )*? \"{3} | '{3} (?: \\. | [^\\] )*? '{3}
    | \" (?: \\. | [^\"\\\r\n] )* \" | ' (?: \\. | [^'\\\r\n] )* '
    | //[^\n]*
    """,
    re.VERBOSE | re.DOTALL,
)
_BAD_ESCAPE: Final = re.compile(r"(?:^|[^\\])(?:\\\\)*(\\(?:[^abfnrtv\\\"'`?xXuU0-3]|$))")
_RESERVED: Final = re.compile(
    r"(?<![\w.])(as|break|const|continue|for|function|import|let|loop|package|return|var|void|while)\b"
)
_VALUE: Final = r"[\w)\]}'\"]"
_OPERATOR: Final = r"(?:==|!=|<=|>=|&&|\|\||[-+*/%<>!?:,]|\bin\b)"
_NAMESPACES: Final = frozenset({"math", "optional", "strings", "cel"})
_CONSTANTS: Final = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"} | dict.fromkeys(
    ("None", "NULL", "Null", "nil", "undefined"), "null"
)
_LOOPS: Final = frozenset({"all", "exists", "exists_one", "existsOne", "filter", "map", "optMap", "optFlatMap", "bind"})
_CLOCKS: Final = frozenset({"now", "date", "today", "time", "random", "uuid"})
_FUNCTIONS: Final = frozenset(
    {
        *("bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"),
        *(
            "charAt",
            "contains",
            "endsWith",
            "format",
            "indexOf",
            "join",
            "lastIndexOf",
            "lowerAscii",
            "matches",
            "quote",
        ),
        *("replace", "reverse", "size", "split", "startsWith", "substring", "trim", "upperAscii", "strings.quote"),
        *("math.abs", "math.ceil", "math.floor", "math.greatest", "math.least", "math.round"),
        *("has", "hasValue", "none", "of", "ofNonZeroValue", "optional.none", "optional.of", "or", "orValue", "value"),
    }
)
_OTHER_NAMES: Final = {
    "len": "size(…)", "length": "size(…)", "str": "string(…)", "float": "double(…)", "toString": "string(…)",
    "lower": "lowerAscii()", "toLowerCase": "lowerAscii()", "upper": "upperAscii()", "toUpperCase": "upperAscii()",
    "includes": "contains(…)", "defined": "has(…)", "exists_": "has(…)", "default": ".orValue(…)",
    "coalesce": ".orValue(…)", "get": "[?'key'].orValue(…)", "max": "math.greatest(…)", "min": "math.least(…)",
    "abs": "math.abs(…)", "round": "math.round(…)", "strip": "trim()", "concat": "a + b",
}  # fmt: skip

_HABITS: Final = (
    (r"\$\{", "${…} belongs to templates, and this is an expression: write what is inside it"),
    ("[\u201c\u201d\u2018\u2019]", "a typographic quote: write ' or \""),
    (r"[\"']", "a string that does not end: its closing quote is missing"),
    (r"===", "=== is not an operator of CEL: to compare write =="),
    (r"!==", "!== is not an operator of CEL: write !="),
    (r"<>", "<> is not an operator of CEL: write !="),
    (r"=<", "=< is not an operator of CEL: write <="),
    (r"=>", "=> is not an operator of CEL: write >="),
    (r"=!", "=! is not an operator of CEL: write !="),
    (r"(?<![=!<>]):?=(?!=)", "= is not an operator of CEL, which changes nothing: to compare write =="),
    (r"(?<!&)&(?!&)", "& is not an operator of CEL: write &&"),
    (r"(?<!\|)\|(?!\|)", "| is not an operator of CEL: write ||"),
    (r"\?\?|\?:", "there is no such operator in CEL: write input.?name.orValue(…) for a default"),
    (r"->", "-> is not an operator of CEL: a field is read as in input.name"),
    (r"\+\+|--$", "++ and -- are not operators of CEL, which changes nothing"),
    (r"(?<![\w.])(?:and|AND)(?!\w)", "there is no and in CEL: write &&"),
    (r"(?<![\w.])(?:or|OR)(?!\w)", "there is no or in CEL: write ||"),
    (r"(?<![\w.])(?:not|NOT)(?!\w)", "there is no not in CEL: write !"),
    (r"(?<![\w.])(?:if|else|then)(?!\w)", "there is no if in CEL: write condition ? a : b"),
    (r"#|/\*", "a comment begins with //"),
    (r";", "an expression is one value, without ;"),
    (r"\.\s*(?:in|true|false|null)(?!\w)", "a reserved word as a field is read in brackets, as in input['in']"),
)


def explain_compilation(text: str, source: str) -> str:
    """The reasons in the exception of a compilation, at most three."""
    complaints = [(int(line), int(column), message) for line, column, message in _COMPLAINT.findall(text)]
    del complaints[_MOST:]
    if any("yntax error" in message or "reserved identifier" in message for *_, message in complaints):
        return _syntax(source, complaints)
    reasons: list[str] = []
    for line, column, message in complaints:
        reason = _meaning(message, source, _offset(source, line, column))
        if reason and not any(reason in other for other in reasons):
            reasons.append(_at(line, column) + reason)
    return "; ".join(reasons[:3]) or _without_place(text)


def _syntax(source: str, complaints: list[tuple[int, int, str]]) -> str:
    if not source.strip():
        return "it is empty: write a value, for example input.name"
    blank = _LITERAL.sub(lambda found: re.sub(r"[^\n]", "_" if found[0][:2] != "//" else " ", found[0]), source)
    for reason, at in _habits(source, blank):
        return _place(source, at) + reason
    line, column = next(((line, column) for line, column, _ in complaints if line > 0), (1, 1))
    return _at(line, column) + _unexpected(source, blank, _offset(source, line, column))


def _habits(source: str, blank: str) -> Iterator[tuple[str, int]]:
    for literal in _LITERAL.finditer(source):
        raw = literal[0].lower().startswith(("r", "br", "//"))
        if not raw and (escape := _BAD_ESCAPE.search(literal[0][1:-1])):
            yield f"{escape[1]} is not an escape: write \\{escape[1]}, or a raw string such as r'\\d'", literal.start()
    if whole := re.fullmatch(r"\s*\$\{(.*)\}\s*", source, re.DOTALL):
        inside = shortened(whole[1].strip())
        yield f"${{…}} belongs to templates, and this is an expression: write it bare, {inside}", 0
    for pattern, reason in _HABITS:
        if found := re.search(pattern, blank):
            yield reason, found.start()
    if found := _RESERVED.search(blank):
        yield f"{found[1]} is a reserved word: a field of that name is read as in input['{found[1]}']", found.start()
    yield from _brackets(blank)
    if found := re.search(r"\.\??\s*$", blank):
        yield "the name of a field is missing after the dot", found.start()
    if found := re.search(rf"{_OPERATOR}\s*$", blank):
        yield f"a value is missing after {found[0].strip()}", len(blank.rstrip())
    if "?" in re.sub(r"\.\?|\[\?|\{\?|,\s*\?", "", blank) and ":" not in blank:
        yield "the other half of ? is missing: write condition ? a : b", blank.index("?")


def _brackets(blank: str) -> Iterator[tuple[str, int]]:
    """The bracket that is not closed, or was never opened."""
    closing, opened = {")": "(", "]": "[", "}": "{"}, list[tuple[str, int]]()
    for at, character in enumerate(blank):
        if character in "([{":
            opened.append((character, at))
        elif character in closing and (not opened or opened.pop()[0] != closing[character]):
            yield f"a {character} without its {closing[character]}", at
            return
    if opened:
        bracket, at = opened[-1]
        yield f"a {bracket} that is not closed: add {dict(zip('([{', ')]}', strict=True))[bracket]}", at


def _unexpected(source: str, blank: str, at: int) -> str:
    word = re.match(r"\w+|\S", blank[at:])
    if word is None:
        return "a value is missing here"
    shown = repr(shortened(source[at : at + len(word[0])]))
    if re.search(rf"{_VALUE}\s*$", blank[:at]) and re.match(_VALUE, word[0]):
        return f"{shown} is not expected here: between two values an operator is needed, for example + or &&"
    return f"{shown} is not expected here"


def _meaning(message: str, source: str, at: int) -> str | None:
    """The reason of a complaint about an expression that can be parsed; None when another complaint says it better."""
    if reason := explain_overload(message):
        return reason
    if found := re.match(r"undeclared reference to '([^']+)'", message):
        return _function(found[1]) if source[at : at + 1] == "(" else _variable(found[1], source)
    if found := re.match(r"expression of type '([^']+)' cannot be the operand", message):
        kind = {"null_type": "null"}.get(found[1], found[1])
        return f"a field is selected from {kind}, which is not a map"
    if "has() argument" in message:
        return "has() asks for a field, as in has(input.name)"
    if "invalid int literal" in message or "invalid uint literal" in message:
        return "a number that an int cannot hold: write it as a string, '…', or with a fraction, as a double"
    if "invalid" in message and (found := re.match(r"([\w.]+)\(\)", message)):
        return f"{found[1]}() does not take such a value"
    if "literal" in message:
        return "a string with an escape that stands for no character"
    return _too_deep(message)


def _variable(name: str, source: str) -> str | None:
    root = name.partition(".")[0]
    if root in _NAMESPACES:
        return None
    hyphenated = rf"([A-Za-z_]\w*(?:-\w+)*-{re.escape(root)}(?:-\w+)*)(?!\w)"
    if hyphen := re.search(rf"(?<![\w.])([A-Za-z_][\w.]*)\.{hyphenated}", source):
        return f"a name with - is read in brackets: write {hyphen[1]}['{hyphen[2]}']"
    if root in _CONSTANTS:
        return f"there is no {root} in CEL: write {_CONSTANTS[root]}"
    if root == "self":
        return "there is no variable self: write steps.self"
    known = ", ".join(sorted(ROOTS - {"item", "index"}))
    meant = (
        did_you_mean(root, ROOTS)
        or f": there are {known}; a string is written in quotes, a step as steps.{shortened(root)}"
    )
    return f"there is no variable {shortened(root)}{meant}"


def _function(name: str) -> str:
    if name in _LOOPS:
        return f"{name}() is not called in this way"
    if name in _CLOCKS:
        return f"there is no function {name}: expressions know neither time nor chance, so that a replay is exact"
    if name in _FUNCTIONS or any(known.endswith(f".{name}") for known in _FUNCTIONS):
        return f"{name}() is not called with so many values, or on such a value"
    meant = f": write {_OTHER_NAMES[name]}" if name in _OTHER_NAMES else did_you_mean(name, _FUNCTIONS)
    return f"there is no function {shortened(name)}{meant or ' in CEL'}"


def _without_place(text: str) -> str:
    if "duplicate key" in text:
        return "a map has the same key twice"
    return _too_deep(text)


def _too_deep(message: str) -> str:
    if "recursion" in message:
        return "nested deeper than 32 levels; a chain such as a + b + c has a level for each operand"
    return "it is not an expression of CEL"


def _offset(source: str, line: int, column: int) -> int:
    lines = source.split("\n")
    return sum(len(each) + 1 for each in lines[: max(line, 1) - 1]) + max(column, 1) - 1


def _place(source: str, offset: int) -> str:
    before = source[:offset]
    return _at(before.count("\n") + 1, offset - before.rfind("\n"))


def _at(line: int, column: int) -> str:
    if line < 1 or column < 1:
        return ""
    return f"column {column}: " if line == 1 else f"line {line}, column {column}: "
