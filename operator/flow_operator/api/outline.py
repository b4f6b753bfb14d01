"""The fields of a schema as an indented list, for a description that stands where a type cannot."""

import json
from typing import Any


def outline(schema: dict[str, Any]) -> str:
    """One line for each field, the fields below it indented. What was said once is not said again."""
    return "\n".join(_lines(schema, "", set()))


def _lines(schema: dict[str, Any], indent: str, told: set[str]) -> list[str]:
    lines, again = [], []
    for name, field in schema.get("properties", {}).items():
        identity = f"{name} {json.dumps(field, sort_keys=True)}"
        if identity in told:
            again.append(name)
            continue
        told.add(identity)
        lines += [f"{indent}- {name}: {field['description']}", *_lines(field.get("items", field), indent + "  ", told)]
    return [*lines, f"{indent}- {', '.join(again)}: as above."] if again else lines
