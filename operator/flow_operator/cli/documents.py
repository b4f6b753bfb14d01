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

from flow_operator.engine.json_text import NotJSON, Number, TooBig, Value, parse, weigh, write

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


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file, from 1; a `value` that could not be read is None and has mistakes."""

    number: int
    value: Value
    mistakes: tuple[Mistake, ...]


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
                yield Document(number, value, tuple(loader.mistakes))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ": ".join(part for part in (error.context, error.problem) if part)
        yield Document(max(number, 1), None, (Mistake(mark.line + 1 if mark else 1, said),))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        yield Document(max(number, 1), None, (Mistake(line, f"the character {chr(error.character)!r} is not allowed"),))
    except (TooBig, RecursionError) as error:
        said = f"larger than any object: {error}" if isinstance(error, TooBig) else "nested too deeply"
        yield Document(max(number, 1), None, (Mistake(1, said),))


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
            raise ConstructorError(None, None, f"{text} is no number that JSON knows", node.start_mark) from None

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
                self.mistakes.append(Mistake(line, f"the key {name!r} is there twice, first in line {lines[name]}"))
            lines.setdefault(name, line)

    def _key(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise ConstructorError(None, None, "a key must be text", node.start_mark)
        return str(node.value)

    def _unknown(self, node: Node) -> Value:
        raise ConstructorError(None, None, f"the tag {node.tag} has no meaning here", node.start_mark)

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
