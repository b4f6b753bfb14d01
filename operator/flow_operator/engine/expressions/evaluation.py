"""CEL: conditions, mapping and outcome tests (semantics: Expressions).

An expression is a pure function of what it reads. It never sees a clock, a random number or a secret, and its cost is
bounded: by its syntax (expression_reads.py) and by what it reads (here). What it cannot do is an InvalidExpression when
it is compiled, or an ExpressionError when it is evaluated; nothing else is raised.

An expression that is only a path never reaches CEL: it copies what is there.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from cel_expr_python import cel
from cel_expr_python.ext import ext_math, ext_optional, ext_strings

from flow_operator.engine.expressions import cel_values
from flow_operator.engine.expressions.cel_values import (
    HandOver,
    IsError,
    IsOptional,
    Result,
    Scope,
    Tree,
    Unusable,
    kind,
)
from flow_operator.engine.expressions.expression_errors import (
    ExpressionError,
    InvalidExpression,
    explain_evaluation,
)
from flow_operator.engine.expressions.expression_mistakes import explain_compilation
from flow_operator.engine.expressions.json_text import TooBig, Value
from flow_operator.engine.expressions.reads import ROOTS, Path, Refused, Syntax, examine, refuse_early
from flow_operator.engine.expressions.syntax import syntax_tree

__all__ = [
    "Expression",
    "ExpressionError",
    "InvalidExpression",
    "Scope",
    "compile_expression",
    "evaluate",
    "evaluate_condition",
]

MAX_SOURCE: Final = 4096
_SHORT: Final = 256
_OPTIONAL: Final = "optional_type"
_MAX_TREE: Final = 2**18
_MAX_READ: Final = 2**20
_MAX_MATCHING: Final = 2**30

_ENVIRONMENT: Final = cel.NewEnv(
    variables=dict.fromkeys(ROOTS, cel.Type.DYN),
    extensions=[ext_optional.ExtOptional(), ext_strings.ExtStrings(), ext_math.ExtMath()],
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A valid expression, and what its syntax says."""

    source: str
    roots: frozenset[str]
    """The variables that it reads."""
    steps: frozenset[str]
    """The ids of the steps that it reads, `self` included."""
    path: Path | None
    """The keys and indices, if it is only a path."""
    guarded_from: int
    """Position in that path from which on absence gives null: `1` in `input.?a.b`; see expression_reads.py."""
    unguarded: frozenset[tuple[str, ...]]
    """Every path whose absence would be an error, with all its beginnings: read without `.?`, `[?…]` or `has`."""
    result: str
    """The type of its value as far as known before the evaluation: `bool`, `int`, … or `dyn`."""
    reads: tuple[tuple[Path, int], ...]
    """What it reads, and how often."""
    growth: int
    """How much longer its functions can make what they are given."""
    automaton: int
    """About the number of states of its regular expressions."""

    def may_be(self, kind: str) -> bool:
        """Whether its value can be of this type, for all that is known before the evaluation."""
        return self.result in (kind, "dyn")


class _Compiled(NamedTuple):
    """An expression, and what it takes to evaluate it."""

    expression: Expression
    program: Any
    keys: Tree
    guarded: frozenset[str]
    """Variables that may be absent."""
    reads: int
    """How often it reads anything."""


def compile_expression(source: str) -> Expression:
    """A valid expression from its text. Raises InvalidExpression."""
    compiled = _cached(source)
    if isinstance(compiled, str):
        raise InvalidExpression(compiled)
    return compiled.expression


def evaluate(expression: Expression, scope: Scope) -> Value:
    """The value of an expression, as it will be when it has been stored. Raises ExpressionError."""
    try:
        if expression.path is not None:
            return cel_values.copy(scope, expression.path, expression.guarded_from)
        return _computed(expression, scope)
    except (Unusable, TooBig) as error:
        raise ExpressionError(str(error), expression.source) from None
    except IsError as error:
        raise ExpressionError(explain_evaluation(str(error)), expression.source) from None
    except IsOptional:
        raise ExpressionError("its value is an optional in an optional", expression.source) from None


def evaluate_condition(expression: Expression, scope: Scope) -> bool:
    """The value of an expression that must be true or false. Raises ExpressionError."""
    value = evaluate(expression, scope)
    if isinstance(value, bool):
        return value
    raise ExpressionError(f"a condition must be bool, not {kind(value)}", expression.source)


def _computed(expression: Expression, scope: Scope) -> Value:
    compiled = _cached(expression.source)
    assert not isinstance(compiled, str)
    handed = HandOver(scope, compiled.keys, compiled.guarded)
    _check_cost(expression, scope, compiled.reads * handed.size)
    try:
        return Result().take(_run(compiled.program, handed.data))
    except IsOptional:
        pass
    try:
        unwrapped = _unwrapped(expression.source)
    except RuntimeError as error:
        raise Unusable(explain_compilation(str(error), expression.source)) from None
    return Result().take(_run(unwrapped, handed.data))


def _run(compiled: Any, data: dict[str, Any]) -> Any:
    try:
        return compiled.eval(data=data)
    except (RuntimeError, TypeError, ValueError, SystemError) as error:
        raise IsError(str(error)) from None


def _check_cost(expression: Expression, scope: Scope, read: int) -> None:
    """What is read, counted as often as it is read, bounds time and memory: see expression_reads.py."""
    if _too_costly(expression, read):
        read = sum(count * cel_values.weight(scope, path) for path, count in expression.reads)
        if problem := _too_costly(expression, read):
            raise Unusable(problem)


def _too_costly(expression: Expression, read: int) -> str | None:
    if (read + len(expression.source)) * expression.growth > _MAX_READ:
        return "it reads too much too often: more than 1 MiB in all"
    if read * expression.automaton > _MAX_MATCHING:
        return "its regular expression is too large for so much text"
    return None


def _cached(source: str) -> _Compiled | str:
    """The compiled expression, or why there is none. A long one takes half a megabyte, so few of those are kept."""
    return _short(source) if len(source) <= _SHORT else _long(source)


def _compiled(source: str) -> _Compiled | str:
    try:
        if len(source.encode()) > MAX_SOURCE:
            return f"longer than {MAX_SOURCE // 1024} KiB"
        if "\0" in source:
            return "the character NUL"
        refuse_early(source)
        parsed = _ENVIRONMENT.compile(source, disable_check=True).serialize()
        if len(parsed) > _MAX_TREE:
            return "its macros expand to too much"
        syntax = examine(syntax_tree(parsed), source)
        checked = _ENVIRONMENT.compile(source)
        result = _result_type(checked.return_type().name())
        program = _unwrapped(source) if result == _OPTIONAL else checked
    except UnicodeEncodeError:
        return "a lone surrogate"
    except Refused as error:
        return str(error)
    except RuntimeError as error:
        return explain_compilation(str(error), source)
    expression = _expression(source, syntax, "dyn" if result == _OPTIONAL else result)
    guarded = frozenset(root for root in expression.roots if (root,) not in expression.unguarded)
    return _Compiled(expression, program, cel_values.tree(syntax.reads), guarded, syntax.reads.total())


_short: Final = lru_cache(maxsize=4096)(_compiled)
_long: Final = lru_cache(maxsize=128)(_compiled)


@lru_cache(maxsize=128)
def _unwrapped(source: str) -> Any:
    """The same expression, its optional opened: an empty one is null."""
    return _ENVIRONMENT.compile(f"({source}\n).orValue(null)", disable_check=True)


def _expression(source: str, syntax: Syntax, result: str) -> Expression:
    return Expression(
        source=source,
        roots=frozenset(str(path[0]) for path in syntax.reads),
        steps=frozenset(str(path[1]) for path in syntax.reads if path[0] == "steps"),
        path=syntax.only.path if syntax.only else None,
        guarded_from=syntax.only.guarded_from if syntax.only else 0,
        unguarded=frozenset(syntax.unguarded),
        result=result,
        reads=tuple(syntax.reads.items()),
        growth=syntax.growth,
        automaton=syntax.automaton,
    )


def _result_type(name: str) -> str:
    """The library's name of a static type in CEL's spelling, without what is inside it."""
    outer, _, inner = name.partition("<")
    if "optional_type" in (inner.partition("<")[2] if outer == _OPTIONAL else inner):
        raise Refused("an optional in a list or a map: write [?x] or {?'key': x}")
    if outer in ("BYTES", "TIMESTAMP", "DURATION", "TYPE"):
        raise Refused(f"its value is a {outer.lower()}, which JSON cannot hold: make it a string or a number")
    return "int" if outer == "UINT" else outer.lower()
