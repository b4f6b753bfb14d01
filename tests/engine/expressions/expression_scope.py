"""A scope that the tests of expressions read."""

from collections.abc import Mapping
from typing import Any

from flow_operator.engine.expressions.evaluation import compile_expression, evaluate
from flow_operator.engine.expressions.json_text import Number, Value

INPUT: dict[str, Value] = {
    "one": 1,
    "half": 0.5,
    "text": "hello",
    "yes": True,
    "nothing": None,
    "list": [10, {"exact": Number("0.10")}],
    "map": {"a": {"b": 2}},
    "max": 2**63 - 1,
    "2^63": 2**63,
    "2^64": 2**64,
    "0.10": Number("0.10"),
    "1.0": Number("1.0"),
    "1E2": Number("1E2"),
    "-0": Number("-0"),
    "1e400": Number("1e400"),
    "1e-400": Number("1e-400"),
    "0.1 and a bit": Number("0.1000000000000000055511151231257827"),
    "zero": Number("0e999999999999999999999"),
    "digits": Number("9" * 5000),
}
SCOPE: dict[str, Any] = {
    "input": INPUT,
    "header": {"x-tenant": "acme"},
    "steps": {
        "reserve": lambda: {"phase": "Success", "output": {"id": 7, "list": [1, 2]}},
        "reserve-stock": {"output": [1, Number("2.50")]},
        "self": {"effect": "Unknown"},
    },
    "execution": {"name": "order-1", "namespace": "shop", "uid": "u"},
}


def value_of(source: str, scope: Mapping[str, Any] = SCOPE) -> Value:
    return evaluate(compile_expression(source), scope)
