"""How the reference says what type a field has, in Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flow_operator.api.meta import SIMPLE_TYPE
from flow_operator.api.schema import Node, in_words, reduced


def type_phrase(schema: Node, definitions: Mapping[str, Node]) -> str:
    """The type of a field, with links to the types that are told elsewhere."""
    schema, name = reduced(schema, definitions)
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if SIMPLE_TYPE in schema:
        return f"[{schema[SIMPLE_TYPE]['name']}](#simple-types)"
    if values:
        return _alternatives([code(value) for value in values])
    if name:
        return f"[{name}](#{name.lower()})"
    if "items" in schema:
        return _limited(f"list of {type_phrase(schema['items'], definitions)}", schema.get("maxItems"))
    if isinstance(schema.get("additionalProperties"), dict):
        phrase = f"map of text to {type_phrase(schema['additionalProperties'], definitions)}"
        return _limited(phrase, schema.get("maxProperties"))
    return _scalar(schema)


def default_phrase(field: Node, *, is_required: bool) -> str:
    """What a field is when it is not given."""
    default = field.get("default")
    if is_required:
        return "**required**"
    if default in (None, [], ""):
        return ""
    return ", ".join(code(item) for item in default) if isinstance(default, list) else code(default)


def code(value: Any) -> str:
    """A value as code."""
    text = in_words(value)
    mark = "``" if "`" in text else "`"
    return f"{mark}{text}{mark}" if text else ""


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _scalar(schema: Node) -> str:
    kind = str(schema.get("type", "any JSON"))
    if schema.get("format") == "date-time":
        return "time"
    if "minimum" in schema:
        return f"{kind}, {schema['minimum']} to {schema['maximum']}"
    return _limited(kind, schema.get("maxLength"))


def _limited(text: str, most: int | None) -> str:
    return f"{text}, at most {most}" if most else text


def _alternatives(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
