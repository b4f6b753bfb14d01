"""YAML and JSON as people write them, read without losing anything: duplicate keys, lines, the text of numbers.

Scalars mean what they mean to kubectl, with one difference on purpose: a time stays the text that it is. What has no
place in JSON (other tags, infinities) is an error with its line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from flow_operator.cli.yaml_mistakes import told
from flow_operator.engine.expressions.json_text import NotJSON, Number, TooBig, Value, parse, weigh, write

DOCUMENT_BYTES: Final = 1536 * 1024
"""No object of Kubernetes is larger than what etcd takes."""
_JSON_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_INTEGER: Final = re.compile(r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$")
_FLOAT: Final = re.compile(
    r"([-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
)
_BOOLEAN: Final = re.compile(r"(yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$")
_TAG: Final = "tag:yaml.org,2002:"
_PLAIN: Final = (
    ("null", re.compile(r"(~|null|Null|NULL|)$")),
    ("bool", _BOOLEAN),
    ("int", _INTEGER),
    ("float", _FLOAT),
    ("merge", re.compile(r"<<$")),
)
"""What a scalar without quotes and without a tag is; any other is text."""
_RESOLVERS: Final[Any] = {None: [(f"{_TAG}{name}", pattern) for name, pattern in _PLAIN]}


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something that is wrong with the text, before anything is known of its meaning."""

    line: int
    message: str
    column: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file, from 1; a `value` that could not be read is None and has mistakes."""

    number: int
    value: Value
    mistakes: tuple[Mistake, ...]
    node: Node | None = None
    """Where everything stands in the text."""


class Unusable(ConstructorError):
    """What is YAML but has no place in JSON; its problem is told as it is."""


def documents(text: str) -> Iterator[Document]:
    """The documents of a YAML text that have content. What cannot be read ends the file."""
    number = 0
    try:
        loader = Loader(text)
        while loader.check_node():
            number += 1
            node = loader.get_node()
            loader.mistakes.clear()
            value = loader.construct_document(node)
            weigh(value, DOCUMENT_BYTES)
            if value is not None:
                yield Document(number, value, tuple(loader.mistakes), node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = str(error.problem) if isinstance(error, Unusable) else told(error)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        yield Document(max(number, 1), None, (Mistake(line, said, column),))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        yield Document(max(number, 1), None, (Mistake(line, f"the character {chr(error.character)!r} is not allowed"),))
    except (TooBig, RecursionError) as error:
        said = f"larger than any object: {error}" if isinstance(error, TooBig) else "nested too deeply"
        yield Document(max(number, 1), None, (Mistake(1, said),))


def position(node: Node, path: str) -> tuple[int, int]:
    """Line and column of a field, as `spec.steps[2].when` names it, or of the nearest above it that is there."""
    mark, rest = node.start_mark, path
    while rest and (found := _step_into(node, rest)) is not None:
        mark, node, rest = found
    return mark.line + 1, mark.column + 1


def member(node: Node, path: str) -> Node:
    """What stands at a path."""
    while path and (found := _step_into(node, path)) is not None:
        _, node, path = found
    return node


def _step_into(node: Node, path: str) -> tuple[Any, Node, str] | None:
    """The member that the path begins with: where it stands, its value, and the rest of the path."""
    if isinstance(node, SequenceNode) and (found := re.match(r"\[(\d+)\]\.?", path)) is not None:
        number = int(found.group(1))
        item = node.value[number] if number < len(node.value) else None
        return (item.start_mark, item, path[found.end() :]) if item is not None else None
    members = node.value if isinstance(node, MappingNode) else ()
    named = [(str(key.value), key, value) for key, value in members if _begins(path, str(key.value))]
    if not named:
        return None
    name, key, value = max(named, key=lambda each: len(each[0]))
    return key.start_mark, value, path[len(name) :].removeprefix(".")


def _begins(path: str, name: str) -> bool:
    """Whether a path begins with this key, which may hold dots itself."""
    return path.startswith(name) and (len(path) == len(name) or path[len(name)] in ".[")


def plain(value: Value) -> Any:
    """The value as the API server would hold it: each number an integer or a double."""
    if isinstance(value, Number):
        return float(value.text)
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    return [plain(member) for member in value] if isinstance(value, list) else value


class Loader(yaml.SafeLoader):
    """Knows only what JSON knows, and remembers keys that were given twice."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.mistakes: list[Mistake] = []

    def _number(self, node: ScalarNode) -> Value:
        text = str(node.value)
        if _JSON_NUMBER.fullmatch(text):
            return parse(text)
        digits = text.replace("_", "")
        try:
            if _INTEGER.fullmatch(text):
                octal = re.fullmatch(r"[-+]?0[0-7]+", digits)
                return int(digits, 8 if octal else 0)
            return parse(write(float(digits)))
        except (ValueError, NotJSON):
            raise Unusable(None, None, f"{text} is not a number that JSON can hold", node.start_mark) from None

    def _sequence(self, node: SequenceNode) -> list[Value]:
        return [self.construct_object(member, deep=True) for member in node.value]

    def _mapping(self, node: MappingNode) -> dict[str, Value]:
        self._find_duplicates(node)
        self.flatten_mapping(node)
        return {self._key(key): self.construct_object(member, deep=True) for key, member in node.value}

    def _find_duplicates(self, node: MappingNode) -> None:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, line = self._key(key), key.start_mark.line + 1
            if name in lines:
                said = f"the key {name!r} is there twice, first in line {lines[name]}"
                self.mistakes.append(Mistake(line, said, key.start_mark.column + 1))
            lines.setdefault(name, line)

    def _key(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise Unusable(None, None, "a key must be text", node.start_mark)
        return str(node.value)

    def _unknown(self, node: Node) -> Value:
        raise Unusable(None, None, f"the tag {node.tag} has no meaning here", node.start_mark)

    yaml_implicit_resolvers = _RESOLVERS
    yaml_constructors: ClassVar[Any] = {
        f"{_TAG}null": yaml.SafeLoader.construct_yaml_null,
        f"{_TAG}bool": yaml.SafeLoader.construct_yaml_bool,
        f"{_TAG}str": yaml.SafeLoader.construct_yaml_str,
        f"{_TAG}int": _number,
        f"{_TAG}float": _number,
        f"{_TAG}seq": _sequence,
        f"{_TAG}map": _mapping,
        None: _unknown,
    }
