"""The generator of structural schemas: what it makes of a model, and what it refuses to make."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from flow_operator.api.crd import crd
from flow_operator.api.duration import Duration
from flow_operator.api.kinds import KINDS
from flow_operator.api.meta import UNTYPED_ITEMS
from flow_operator.api.schema import InexpressibleError, spec_schema, status_schema
from flow_operator.api.step import Code

Text = Annotated[str, Field(max_length=9)]


class Leaf(BaseModel):
    """A leaf."""

    name: Text = Field("x", description="Its name.")


def field(annotation: Any, default: Any = ..., **extra: Any) -> type[BaseModel]:
    """A model named Spec with one field named `it`."""
    definition = Field(default, description="It.", **extra)
    return type("Spec", (BaseModel,), {"__annotations__": {"it": annotation}, "it": definition, "__doc__": "Spec."})


def schema_of(annotation: Any, default: Any = ..., **extra: Any) -> dict[str, Any]:
    """The schema of a field in a spec."""
    schema: dict[str, Any] = spec_schema(field(annotation, default, **extra))["properties"]["it"]
    return schema


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        (Text | None, None, {"description": "It.", "type": "string", "maxLength": 9}),
        (Literal["a"], ..., {"description": "It.", "type": "string", "enum": ["a"]}),
        (bool, False, {"description": "It. Default: false.", "type": "boolean", "default": False}),
        (Any, None, {"description": "It.", "nullable": True, "x-kubernetes-preserve-unknown-fields": True}),
        (
            Annotated[float, Field(gt=0, lt=1)],
            ...,
            {
                "description": "It.",
                "type": "number",
                "minimum": 0,
                "exclusiveMinimum": True,
                "maximum": 1,
                "exclusiveMaximum": True,
            },
        ),
        (
            Leaf | None,
            None,
            {
                "description": "It.",
                "type": "object",
                "properties": {
                    "name": {"description": "Its name. Default: x.", "type": "string", "default": "x", "maxLength": 9}
                },
            },
        ),
        (
            Annotated[dict[str, Text], Field(max_length=2)],
            ...,
            {
                "description": "It.",
                "type": "object",
                "maxProperties": 2,
                "additionalProperties": {"type": "string", "maxLength": 9},
            },
        ),
        (
            Annotated[tuple[Code, ...], Field(max_length=2)],
            ("2xx", 404),
            {
                "description": "It. Default: 2xx, 404.",
                "type": "array",
                "default": ["2xx", 404],
                "maxItems": 2,
                "x-kubernetes-list-type": "atomic",
                "items": {
                    "pattern": "^[1-5]([0-9]{2}|xx)$",
                    "maxLength": 3,
                    "minimum": 100,
                    "maximum": 599,
                    "x-kubernetes-int-or-string": True,
                },
            },
        ),
    ],
    ids=["optional", "constant", "default", "any JSON", "exclusive bounds", "reference", "map", "int or string"],
)
def test_expressible(annotation: Any, default: Any, expected: dict[str, Any]) -> None:
    assert schema_of(annotation, default) == expected


class Node(BaseModel):
    """A node."""

    below: "Node | None" = Field(None, description="Below.")


class Mixed(BaseModel):
    """Named fields and others."""

    model_config = ConfigDict(extra="allow")
    name: Text = Field(description="Its name.")


class Silent(BaseModel):
    """A model whose field says nothing."""

    name: Text


@pytest.mark.parametrize(
    ("annotation", "default", "complaint"),
    [
        (str, ..., r"Spec\.it: without maxLength"),
        (tuple[Text, ...], ..., r"Spec\.it: without maxItems"),
        (dict[str, Text], ..., r"Spec\.it: without maxProperties"),
        (Annotated[tuple[str, ...], Field(max_length=1)], ..., r"Spec\.it\[\*\]: without maxLength"),
        (int | bool, ..., r"Spec\.it: a union of types"),
        (Leaf | Text, ..., r"Spec\.it: a union of types"),
        (Leaf, Leaf(), r"Spec\.it: a default that is no leaf"),
        (Node, ..., r"Spec\.it\.below: Node contains itself"),
        (Mixed, ..., r"Spec\.it: both named fields and others"),
        (Silent, ..., r"Spec\.it\.name: no description"),
        (Annotated[tuple[Text, int], Field()], ..., r"Spec\.it: "),
        (Annotated[int, Field(multiple_of=2)], ..., r"Spec\.it: no structural schema can say \['multipleOf'\]"),
        (Annotated[frozenset[Text], Field(max_length=1)], ..., r"no structural schema can say \['uniqueItems'\]"),
        (Annotated[int, Field(ge=0, gt=0)], ..., r"Spec\.it: both minimum and exclusiveMinimum"),
    ],
)
def test_inexpressible(annotation: Any, default: Any, complaint: str) -> None:
    with pytest.raises(InexpressibleError, match=complaint):
        schema_of(annotation, default)


def test_a_status_has_neither_defaults_nor_enumerations_nor_bounds() -> None:
    status = status_schema(field(Literal["a", "b"], "a"), default={"it": "b"})
    assert status == {
        "description": "Spec.",
        "type": "object",
        "default": {"it": "b"},
        "x-kubernetes-map-type": "atomic",
        "properties": {"it": {"description": "It.", "type": "string"}},
    }


def test_untyped_items_are_told_in_the_description() -> None:
    schema = status_schema(field(tuple[Leaf, ...], json_schema_extra={UNTYPED_ITEMS: True}), default={})
    assert schema["properties"]["it"] == {
        "description": "It.\n- name: Its name.",
        "type": "array",
        "x-kubernetes-list-type": "atomic",
        "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node of a structural schema with its path."""
    yield path, schema
    for name, below in schema.get("properties", {}).items():
        yield from nodes(below, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(schema[key], f"{path}[*]")


ROOTS = {kind.name: crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"] for kind in KINDS}
NODES = [(f"{kind}{path}", node) for kind, root in ROOTS.items() for path, node in nodes(root)]


@pytest.mark.parametrize(("path", "node"), NODES, ids=[path for path, _ in NODES])
def test_every_node_has_one_type(path: str, node: dict[str, Any]) -> None:
    untyped = node.get("x-kubernetes-preserve-unknown-fields") or node.get("x-kubernetes-int-or-string")
    assert ("type" in node) or untyped, path
    assert not node.keys() & {"$ref", "anyOf", "oneOf", "allOf", "not", "const", "title", "uniqueItems"}


def test_every_duration_has_the_pattern() -> None:
    durations = {path for path, node in NODES if node.get("pattern") == schema_of(Duration)["pattern"]}
    assert {"Step.spec.timeout.total", "Workflow.spec.timeout.run", "Step.spec.retry.backoff.cap"} <= durations


def test_lists_of_ids_are_sets_and_steps_are_a_map() -> None:
    lists = {path: node.get("x-kubernetes-list-type") for path, node in NODES if node.get("type") == "array"}
    assert lists["Workflow.spec.steps"] == "map"
    assert lists["Workflow.spec.steps[*].requires"] == lists["Workflow.spec.steps[*].acceptSkipped"] == "set"
    assert {kind for path, kind in lists.items() if ".status." in path} == {"atomic"}
