"""Every name that documentation may use: the fields, flags, reasons, metrics and settings that exist."""

import argparse
import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from flow_operator.api.kinds import KINDS
from flow_operator.cli import arguments
from flow_operator.engine.verbs import VERBS
from flow_operator.settings.model import SETTINGS, flag, variable

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "flow_operator"
VALUES = ROOT / "helm" / "flow-operator" / "values.yaml"

ROOTS = ("spec", "status")
"""What a path of an object of Flow begins with."""
MESSAGES = frozenset({"input", "header", "steps", "response", "error", "execution", "self"})
"""What a path of an expression begins with; the rest of it is up to the services."""
SUFFIXES = ("", "_total", "_bucket", "_sum", "_count")
"""What Prometheus appends to the name that a metric has in the code."""

Schema = Mapping[str, Any]


@cache
def literals() -> frozenset[str]:
    """Every text in the code that is not a docstring."""
    return frozenset(text for path in PACKAGE.rglob("*.py") for text in _literals(ast.parse(path.read_text())))


def _literals(tree: ast.Module) -> Iterator[str]:
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@cache
def words() -> frozenset[str]:
    """Texts of the code that are one word: reasons, phases, conditions, kinds, verbs, names of metrics."""
    return frozenset(text for text in literals() if re.fullmatch(r"\w+", text))


@cache
def metrics() -> frozenset[str]:
    """The names under which Prometheus may have a metric."""
    return frozenset(name + suffix for name in words() if name.startswith("flow_") for suffix in SUFFIXES)


@cache
def settings() -> frozenset[str]:
    """Environment variables of the operator."""
    return frozenset(map(variable, SETTINGS))


@cache
def operator_flags() -> frozenset[str]:
    """Flags of `flow-operator`."""
    return frozenset({*map(flag, SETTINGS), "--help", "--version"})


@cache
def plugin_flags() -> Mapping[str, frozenset[str]]:
    """Flags of each command of `kubectl flow`; those that every command has are in each."""
    parser = arguments._parser()
    (commands,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    everywhere = frozenset(parser._option_string_actions)
    return {name: everywhere | frozenset(each._option_string_actions) for name, each in commands.choices.items()}


@cache
def values() -> frozenset[str]:
    """Paths of the chart's values."""
    return frozenset(_paths(yaml.safe_load(VALUES.read_text()), ""))


def _paths(value: Any, prefix: str) -> Iterator[str]:
    for name, below in value.items() if isinstance(value, dict) else ():
        yield prefix + name
        yield from _paths(below, f"{prefix}{name}.")


@cache
def _schemas() -> tuple[tuple[str, Schema], ...]:
    """The models of each kind, below the field of the object that holds them."""
    models = ((root, getattr(kind, root)) for kind in KINDS for root in ROOTS)
    verbs = (("", verb.args) for verb in VERBS.values())
    return tuple((root, model.model_json_schema(by_alias=True)) for root, model in (*models, *verbs))


@cache
def fields() -> frozenset[str]:
    """The name of every field and of every argument of a command."""
    return frozenset(name for _, schema in _schemas() for node in _nodes(schema) for name in node["properties"])


def is_path(path: str) -> bool:
    """Whether an object of Flow has this path, or, when it begins elsewhere, some field of one has it below."""
    root, *below = path.split(".")
    if root in ROOTS:
        return any(_has(schema, schema, below) for name, schema in _schemas() if name == root)
    return any(_has(schema, node, [root, *below]) for _, schema in _schemas() for node in _nodes(schema))


def _nodes(schema: Schema) -> Iterator[Schema]:
    """Every object type of a schema."""
    for node in (schema, *schema.get("$defs", {}).values()):
        if "properties" in node:
            yield node


def _has(schema: Schema, node: Schema, path: list[str]) -> bool:
    if not path:
        return True
    for choice in _choices(schema, node):
        if "properties" not in choice:
            if choice.get("type") in (None, "object") and "$ref" not in choice:
                return True  # any JSON, or a map whose keys are the user's
        elif path[0] in choice["properties"] and _has(schema, choice["properties"][path[0]], path[1:]):
            return True
    return False


def _choices(schema: Schema, node: Schema) -> Iterator[Schema]:
    """What a field may be: itself, what it refers to, its alternatives, the items of its list."""
    if "$ref" in node:
        yield from _choices(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
    elif "anyOf" in node or "oneOf" in node:
        for each in node.get("anyOf", node.get("oneOf", ())):
            if each.get("type") != "null":
                yield from _choices(schema, each)
    elif node.get("type") == "array":
        yield from _choices(schema, node.get("items", {}))
    else:
        yield node
