"""What an expression reads, and what its syntax says about its cost (semantics: Expressions).

An expression is evaluated in the process of the operator, so its syntax must bound its cost:

- nothing that loops or binds a name, because a name can be used twice, and twice again;
- functions that make text longer (replace, join, quote) only with literals, so that the factor is known;
- regular expressions only as literals, so that the size of the automaton is known.

What remains grows with what is read: see `Syntax.growth` and `Syntax.automaton`, which expressions.py holds against
the data.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from flow_operator.engine.expressions.syntax import Call, Constant, Construction, Loop, Name, Node, Select

ROOTS: Final = frozenset({"input", "header", "steps", "response", "error", "item", "index", "execution"})
"""The variables that there are; not each of them everywhere."""

Path: TypeAlias = tuple[str | int, ...]

_PLAIN: Final = "_[_]"
_OPTIONAL: Final = frozenset({"_?._", "_[?_]"})
_INDEX: Final = _OPTIONAL | {_PLAIN}
_LOOP: Final = re.compile(r"\.\s*(all|exists|exists_one|existsOne|map|filter|optMap|optFlatMap|transform\w+)\s*\(")
_DOUBLING: Final = re.compile(r"\.\s*opt(?:Flat)?Map\s*\(")
_MAX_DOUBLINGS: Final = 6
_NO_LOOPS: Final = "an expression must not loop or bind names, so that its cost is bounded"
_REPEAT: Final = re.compile(r"(.)\{(\d*)(?:,(\d*))?\}", re.DOTALL)


class Refused(ValueError):
    """The syntax is valid CEL, but not valid here; the message says why."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A variable and the fields and indices that are selected from it: `steps.self.?response`."""

    path: Path
    guarded_from: int
    """Position in the path from which on absence is not an error; the length of the path if it is one anywhere. 0 when
    the variable itself may be absent: `error.?step`."""

    def prefixes(self) -> Iterator[tuple[str, ...]]:
        """Every prefix whose absence would be an error, up to the first index into a list."""
        names: list[str] = []
        for key in self.path[: self.guarded_from]:
            if not isinstance(key, str):
                return
            names.append(key)
            yield tuple(names)


@dataclass(slots=True)
class Syntax:
    """What the syntax of one expression says."""

    only: Chain | None = None
    """The whole expression, if it is nothing but a chain."""
    reads: Counter[Path] = field(default_factory=Counter)
    """Path → how often it is read."""
    unguarded: set[tuple[str, ...]] = field(default_factory=set)
    growth: int = 1
    """How much longer the functions can make what they are given."""
    automaton: int = 0
    """About the number of states of its regular expressions."""


def refuse_early(source: str) -> None:
    """Refuse what is too large to be parsed: optMap parses its target twice, and a chain of them doubles each time."""
    if len(_DOUBLING.findall(source)) > _MAX_DOUBLINGS:
        raise Refused(f"{_loop_name(source)}: {_NO_LOOPS}")


def examine(tree: Node, source: str) -> Syntax:
    """What an expression reads. Raises Refused."""
    syntax = Syntax()
    if not isinstance(tree, Select) or not tree.test:
        syntax.only = _chain(tree)
    _visit(tree, syntax, source)
    return syntax


def _visit(node: Node, syntax: Syntax, source: str) -> None:
    chain = _chain(node)
    if chain is not None:
        _check_steps(chain.path)
        syntax.reads[chain.path] += 1
        syntax.unguarded.update(chain.prefixes())
        return
    if isinstance(node, Loop):
        raise Refused(f"{_loop_name(source)}: {_NO_LOOPS}")
    if isinstance(node, Construction) and node.message:
        raise Refused(f"{node.message}{{…}}: only maps can be made, no messages")
    if isinstance(node, Call):
        _check_call(node, syntax)
    for child in _children(node):
        _visit(child, syntax, source)


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Select):
        return (node.operand,)
    if isinstance(node, Call):
        return node.arguments
    return node.members if isinstance(node, Construction) else ()


def _chain(node: Node) -> Chain | None:
    if isinstance(node, Name):
        name = node.name.removeprefix(".")
        return Chain((name,), 1) if name in ROOTS else None
    if isinstance(node, Select):
        return _extended(node.operand, node.field, optional=node.test)
    if isinstance(node, Call) and node.function in _INDEX and isinstance(node.arguments[1], Constant):
        return _extended(node.arguments[0], node.arguments[1].value, optional=node.function in _OPTIONAL)
    return None


def _extended(operand: Node, key: str | int | None, *, optional: bool) -> Chain | None:
    chain = _chain(operand)
    if chain is None or key is None or (isinstance(key, int) and key < 0):
        return None
    path = (*chain.path, key)
    if chain.guarded_from < len(chain.path):
        return Chain(path, chain.guarded_from)
    if not optional:
        return Chain(path, len(path))
    return Chain(path, 0 if len(chain.path) == 1 else len(chain.path))


def _check_steps(path: Path) -> None:
    if path[0] == "steps" and (len(path) < 2 or not isinstance(path[1], str)):
        raise Refused("name a step, as in steps.reserve or steps['reserve-stock']: steps cannot be read as a whole")


def _check_call(call: Call, syntax: Syntax) -> None:
    if call.function in _INDEX and _chain(call.arguments[0]) == Chain(("steps",), 1):
        raise Refused("a computed index into steps: name the step, as in steps.reserve or steps['reserve-stock']")
    if call.function == "bind" and call.arguments[:1] == (Name("cel"),):
        raise Refused(f"cel.bind(): {_NO_LOOPS}")
    if call.function == "matches":
        syntax.automaton += sum(map(_automaton, _literals(call, call.arguments[1:], "the regular expression")))
    elif call.function == "replace":
        old, new = (*_literals(call, call.arguments[1:3], "what is replaced, and by what,"), "", "")[:2]
        longer, shorter = len(new.encode()), len(old.encode())
        syntax.growth *= max(1, -(-longer // shorter)) if shorter else 1 + longer
    elif call.function == "join":
        syntax.growth *= 1 + sum(len(text.encode()) for text in _literals(call, call.arguments[1:], "the separator"))
    elif call.function == "strings.quote":
        syntax.growth *= 6


def _literals(call: Call, arguments: tuple[Node, ...], what: str) -> tuple[str, ...]:
    values = tuple(node.value for node in arguments if isinstance(node, Constant) and isinstance(node.value, str))
    if len(values) != len(arguments):
        raise Refused(f"{call.function}(): {what} must be a literal, so that the cost is bounded")
    return values


def _automaton(pattern: str) -> int:
    """About the states that a pattern needs: a counted repetition repeats them, negation and classes take many."""
    wide = 300 if re.search(r"\\[pPWDS]|\[\^|\(\?[a-zA-Z]*i", pattern) else 10
    states, factor = len(pattern) * wide, 1
    for before, least, most in _REPEAT.findall(pattern):
        count = max(int(least[:6] or 1), int(most[:6] or 1))
        if before == ")":
            factor *= count
        else:
            states += count * wide
    return states * factor


def _loop_name(source: str) -> str:
    found = _LOOP.search(source)
    return f"{found[1]}()" if found else "a macro"
