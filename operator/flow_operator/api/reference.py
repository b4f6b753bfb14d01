"""Fill the tables of docs/reference.md from the models, or prove them current:
`python -m flow_operator.api.reference [--check]`.

The prose of the reference is written by hand and stays; what stands between `<!-- generated: NAME -->` and
`<!-- end -->` is made here.
"""

import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from flow_operator.api import generated
from flow_operator.api.generated import write_or_check
from flow_operator.api.kinds import KINDS, Kind
from flow_operator.api.meta import SIMPLE_TYPE
from flow_operator.api.phrases import code, default_phrase, table, type_phrase
from flow_operator.api.reasons import Reason
from flow_operator.api.schema import RULES, Node

PATH = "docs/reference.md"


def filled(text: str) -> str:
    """The reference with every generated block made anew. A block that nobody can make is an error."""
    blocks = _blocks()
    wanted = generated.blocks(text)
    if sorted(wanted) != sorted(blocks):
        raise ValueError(f"{PATH} must have each of these blocks once: {', '.join(blocks)}; it has {', '.join(wanted)}")
    return generated.filled(text, blocks.__getitem__)


def _blocks() -> dict[str, str]:
    """Name → content. A type is told where it is first used; later uses link to it."""
    told: set[str] = set()
    blocks = {"kinds": _kinds(), "simple types": _simple_types(), "reasons": _reasons()}
    for kind in KINDS:
        blocks[f"{kind.name} columns"] = table(
            ("Column", "Field", "What it says"),
            [(c.name + (" (wide)" if c.wide else ""), f"`{c.path}`", c.description) for c in kind.columns],
        )
        blocks[f"{kind.name} spec"] = _part(kind.spec, told)
        blocks[f"{kind.name} status"] = _part(kind.status, told)
    return blocks


def _kinds() -> str:
    def row(kind: Kind) -> tuple[str, ...]:
        return f"[{kind.name}](#{kind.singular})", f"`{kind.short_name}`", kind.description

    return table(("Kind", "Short name", "What it is"), map(row, KINDS))


def _reasons() -> str:
    groups = groupby(Reason, key=lambda reason: reason.where)
    return "\n\n".join(
        f"### {where}\n\n" + table(("Reason", "Meaning"), [(f"`{one}`", one.meaning) for one in reasons])
        for where, reasons in groups
    )


def _simple_types() -> str:
    found: dict[str, tuple[str, ...]] = {}
    for kind in KINDS:
        for schema in _nodes(kind.spec.model_json_schema(by_alias=True)):
            if SIMPLE_TYPE in schema:
                name, meaning = schema[SIMPLE_TYPE]["name"], schema[SIMPLE_TYPE]["meaning"]
                found[name] = (name, meaning, code(_pattern(schema)), str(schema.get("maxLength", "")))
    rows = [found[name] for name in sorted(found, key=str.lower)]
    return table(("Type", "What it is", "Pattern", "Characters, at most"), rows)


def _pattern(schema: Node) -> str:
    return next((choice["pattern"] for choice in (schema, *schema.get("anyOf", ())) if "pattern" in choice), "")


def _nodes(value: Any) -> Iterator[Node]:
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _nodes(below)


def _part(model: type[BaseModel], told: set[str]) -> str:
    """The fields of a spec or status, and then of every type in it that was not told yet."""
    schema = model.model_json_schema(by_alias=True)
    definitions: Mapping[str, Node] = schema.get("$defs", {})
    return "\n\n".join([_fields(schema, definitions), *_types_below(schema, definitions, told)])


def _types_below(schema: Node, definitions: Mapping[str, Node], told: set[str]) -> Iterator[str]:
    for node in _nodes(schema.get("properties", {})):
        name = str(node.get("$ref", "")).rsplit("/", 1)[-1]
        if name in told or "properties" not in definitions.get(name, {}):
            continue
        told.add(name)
        below = definitions[name]
        yield f"#### {name}\n\n{below['description']}\n\n{_fields(below, definitions)}"
        yield from _types_below(below, definitions, told)


def _fields(schema: Node, definitions: Mapping[str, Node]) -> str:
    required = schema.get("required", ())
    rows = [
        (
            f"`{name}`",
            type_phrase(field, definitions),
            default_phrase(field, is_required=name in required),
            field["description"],
        )
        for name, field in schema["properties"].items()
    ]
    rules = [f"- {rule['message']}" for rule in schema.get(RULES, ())]
    fields = table(("Field", "Type", "Default", "Description"), rows)
    return "\n".join([fields, "", "The API server holds it to this:", "", *rules]) if rules else fields


def files(repository: Path) -> dict[str, str]:
    """Path in the repository → content, of the one file that is generated here."""
    return {PATH: filled((repository / PATH).read_text(encoding="utf-8"))}


if __name__ == "__main__":
    sys.exit(write_or_check("flow_operator.api.reference", files, sys.argv[1:]))
