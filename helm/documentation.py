"""Write docs/chart.md from the comments in the chart's values.yaml, or prove it current:
`python -m helm.documentation [--check]`.

What follows `# --`, and the comment lines after it, describes the value below.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from flow_operator.api.generated import write_or_check
from flow_operator.api.phrases import table

PATH = "docs/chart.md"
VALUES = "helm/flow-operator/values.yaml"
HEADING = f"""\
# Values of the chart

Generated from the comments in `{VALUES}` by `python -m helm.documentation`. Do not edit.

"""

_KEY = re.compile(r"(?P<indent> *)(?P<name>[A-Za-z]\w*):(?P<rest>.*)")


def described(lines: list[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The path of every key, and its description, empty if there is none."""
    path: list[str] = []
    description: list[str] = []
    for line in lines:
        text = line.strip()
        if text.startswith("# --"):
            description = [text.removeprefix("# --").strip()]
        elif text.startswith("#") and description:
            description.append(text.removeprefix("#").strip())
        elif key := _KEY.fullmatch(line):
            path = [*path[: len(key["indent"]) // 2], key["name"]]
            yield tuple(path), " ".join(description)
            description = []


def generated(root: Path) -> dict[str, str]:
    """Path in the repository → content. Raises ValueError for a value that has no description."""
    text = (root / VALUES).read_text(encoding="utf-8")
    values = yaml.safe_load(text)
    keys = dict(described(text.splitlines()))
    if mute := [".".join(path) for path, words in keys.items() if not words and not _holds_described(path, keys)]:
        raise ValueError(f"{VALUES} has no description of {', '.join(mute)}")
    rows = [
        (f"`{'.'.join(path)}`", f"`{json.dumps(_value(values, path))}`", words) for path, words in keys.items() if words
    ]
    return {PATH: HEADING + table(("Value", "Default", "Meaning"), rows) + "\n"}


def _holds_described(path: tuple[str, ...], keys: Mapping[tuple[str, ...], str]) -> bool:
    return any(words and other[: len(path)] == path for other, words in keys.items())


def _value(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        values = values[name]
    return values


if __name__ == "__main__":
    sys.exit(write_or_check("helm.documentation", generated, sys.argv[1:]))
