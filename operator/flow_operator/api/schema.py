"""Kubernetes' structural schemas from the models. What Kubernetes cannot express is an error here, not at the cluster.

The API server wants a dialect of JSON Schema Draft 4 in which every node has one type: references are inlined,
`X | None` becomes an optional X, and of all alternatives only integer-or-string is left. Three rules are our own:

- In a spec every string, list and map has an upper bound, for the API server refuses a CEL rule whose worst case is
  too dear, and a default sits on a leaf only, for it is filled in wherever its parent is given.
- In a status there are neither defaults nor enumerations: it has one writer, bytes stored are what a write costs, and
  the CRD may be older than the operator (Helm never upgrades one).
- Lists are atomic unless the model says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from flow_operator.api.meta import SIMPLE_TYPE, UNTYPED_ITEMS
from flow_operator.api.outline import outline

Node = dict[str, Any]

KEYWORDS = (
    *("description", "type", "format", "nullable", "enum", "default", "pattern", "minLength", "maxLength"),
    *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "minItems", "maxItems", "maxProperties"),
    *("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-map-type"),
    *("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-validations"),
    *("required", "properties", "additionalProperties", "items"),
)
"""All that a node can say, in the order in which it is written."""

RULES = "x-kubernetes-validations"
RULE_PARTS = ("rule", "message", "fieldPath")

_UNTYPED: Node = {"x-kubernetes-preserve-unknown-fields": True}
_BOUND = {"string": "maxLength", "array": "maxItems", "object": "maxProperties"}


class InexpressibleError(ValueError):
    """A model says what a structural schema cannot say."""


def spec_schema(model: type[BaseModel]) -> Node:
    """The schema of what people write."""
    return _root(model, is_spec=True)


def status_schema(model: type[BaseModel], default: Node) -> Node:
    """The schema of what the operator writes. It has one writer, so it is one value in managedFields.

    Its default is there as soon as the object is: whoever waits for the operator (kstatus, Helm, Flux) sees that it
    has not come yet.
    """
    return _ordered({**_root(model, is_spec=False), "x-kubernetes-map-type": "atomic", "default": default})


def _root(model: type[BaseModel], *, is_spec: bool) -> Node:
    schema = model.model_json_schema(by_alias=True)
    return _structural(schema, _Place(model.__name__, schema.get("$defs", {}), is_spec))


@dataclass(frozen=True)
class _Place:
    """Where in the model the generator is, and what it knows there."""

    path: str
    definitions: Mapping[str, Node]
    is_spec: bool
    inside: tuple[str, ...] = ()

    def error(self, what: str) -> InexpressibleError:
        return InexpressibleError(f"{self.path}: {what}")

    def at(self, name: str) -> "_Place":
        return replace(self, path=f"{self.path}{name}")


def reduced(schema: Node, definitions: Mapping[str, Node]) -> tuple[Node, str | None]:
    """A schema without `| None` and with its reference followed, and the name of what it referred to."""
    schema = dict(schema)
    types = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(types) == 1:
        del schema["anyOf"]
        schema = {**types[0], **schema}
    if "$ref" not in schema:
        return schema, None
    name = str(schema.pop("$ref")).rsplit("/", 1)[-1]
    return {**definitions[name], **schema}, name


def _structural(schema: Node, place: _Place) -> Node:
    """The structural form of one node and all that is below it."""
    schema, reference = reduced(schema, place.definitions)
    if reference in place.inside:
        raise place.error(f"{reference} contains itself, and references cannot be kept")
    if reference:
        place = replace(place, inside=(*place.inside, reference))
    for rewrite in (_alternatives, _names, _constant, _exclusive_bound, _default, _untyped, _object, _list):
        schema = rewrite(schema, place)
    return _checked(schema, place)


def _alternatives(schema: Node, place: _Place) -> Node:
    """Integer or string is the one union there is: bounds bind the integer, pattern and length bind the string."""
    choices = schema.pop("anyOf", None)
    if choices is None:
        return schema
    if {choice.get("type") for choice in choices} != {"integer", "string"}:
        raise place.error(f"a union of types: {choices}")
    merged = {key: value for choice in choices for key, value in choice.items() if key != "type"}
    return {"x-kubernetes-int-or-string": True, **merged, **schema}


def _names(schema: Node, _: _Place) -> Node:
    """What names a type is for other readers of the models."""
    return {key: value for key, value in schema.items() if key not in ("title", "$defs", SIMPLE_TYPE)}


def _constant(schema: Node, _: _Place) -> Node:
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    return schema


def _exclusive_bound(schema: Node, place: _Place) -> Node:
    """Draft 4 has a number and a flag where later drafts have two numbers."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if exclusive in schema:
            if bound in schema:
                raise place.error(f"both {bound} and {exclusive}")
            schema |= {bound: schema[exclusive], exclusive: True}
    return schema


def _default(schema: Node, place: _Place) -> Node:
    """A default is filled in by the API server and told in the description, as `kubectl explain` shows no other."""
    default = schema.pop("default", None)
    if not place.is_spec:
        schema.pop("enum", None)
        return schema
    if default is None or default == []:
        return schema
    items = default if isinstance(default, list) else [default]
    if any(isinstance(item, dict | list) for item in items):
        raise place.error("a default that is no leaf: leave the parent optional, and let the reader fill it in")
    told = f"{schema.get('description', '')} Default: {', '.join(map(in_words, items))}."
    return {**schema, "description": told, "default": default}


def in_words(scalar: Any) -> str:
    """A value as it is written in YAML."""
    if isinstance(scalar, float):
        return f"{scalar:g}"
    return str(scalar).lower() if isinstance(scalar, bool) else str(scalar)


def _untyped(schema: Node, place: _Place) -> Node:
    """A value of any JSON type, or an object of any fields."""
    if schema.get("additionalProperties") is True and "properties" not in schema:
        del schema["additionalProperties"]
        return schema | _UNTYPED
    said = schema.keys() - {"description"}
    if not said:
        return schema | _UNTYPED | {"nullable": True}
    if "type" not in schema and "x-kubernetes-int-or-string" not in schema:
        raise place.error(f"no type, but {sorted(said)}")
    return schema


def _object(schema: Node, place: _Place) -> Node:
    if "properties" in schema:
        if "additionalProperties" in schema:
            raise place.error("both named fields and others")
        schema["properties"] = {
            name: _described(_structural(field, place.at(f".{name}")), place.at(f".{name}"))
            for name, field in schema["properties"].items()
        }
    elif "additionalProperties" in schema:
        schema["additionalProperties"] = _structural(schema["additionalProperties"], place.at("[*]"))
    return schema


def _described(schema: Node, place: _Place) -> Node:
    if not schema.get("description"):
        raise place.error("no description, so kubectl explain would say nothing")
    return schema


def _list(schema: Node, place: _Place) -> Node:
    if schema.get("type") != "array":
        return schema
    if "items" not in schema:
        raise place.error("a list whose items have no one schema")
    schema["items"] = _structural(schema["items"], place.at("[*]"))
    schema.setdefault("x-kubernetes-list-type", "atomic")
    if schema.pop(UNTYPED_ITEMS, False):
        schema["description"] += "\n" + outline(schema["items"])
        schema["items"] = {"type": "object", **_UNTYPED}
    return schema


def _checked(schema: Node, place: _Place) -> Node:
    """The node in its written order, if it says only what can be said."""
    unknown = schema.keys() - set(KEYWORDS)
    if unknown:
        raise place.error(f"no structural schema can say {sorted(unknown)}")
    bound = _BOUND.get(schema.get("type", ""))
    closed = "enum" in schema or schema.get("format") or "properties" in schema or "nullable" in schema
    if place.is_spec and bound and not closed and bound not in schema:
        raise place.error(f"without {bound}")
    return _ordered(schema)


def _ordered(schema: Node) -> Node:
    rules = [{part: rule[part] for part in RULE_PARTS if part in rule} for rule in schema.get(RULES, ())]
    return {key: rules if key == RULES else schema[key] for key in KEYWORDS if key in schema}
