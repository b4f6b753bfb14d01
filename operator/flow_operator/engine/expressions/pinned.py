"""Expressions of a pinned definition. They were valid when a run was pinned to it, by an operator that may have been an
older one: should one not be valid any more, that is an ExpressionError like any other.
"""

from flow_operator.engine.expressions.evaluation import (
    ExpressionError,
    InvalidExpression,
    Scope,
    compile_expression,
    evaluate_condition,
)
from flow_operator.engine.expressions.json_text import Value
from flow_operator.engine.expressions.templates import InvalidTemplate, Template, compile_template


def holds(source: str, scope: Scope) -> bool:
    """Whether a condition is true. Raises ExpressionError."""
    try:
        return evaluate_condition(compile_expression(source), scope)
    except InvalidExpression as error:
        raise ExpressionError(str(error), source) from None


def compiled(value: Value) -> Template:
    """A template. Raises ExpressionError."""
    try:
        return compile_template(value)
    except InvalidTemplate as error:
        raise ExpressionError(error.reason, error.path) from None
