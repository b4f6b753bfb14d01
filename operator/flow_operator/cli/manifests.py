"""The objects in YAML files, with the place where each was found and what is wrong with its envelope."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yaml.nodes import Node

from flow_operator.api.kinds import KINDS, Kind
from flow_operator.api.meta import API_VERSION, GROUP, NAME_MAX_LENGTH
from flow_operator.api.reasons import Reason
from flow_operator.api.status import Finding
from flow_operator.cli.documents import documents, member, plain, position
from flow_operator.cli.errors import Cannot
from flow_operator.cli.naming import listed

STANDARD_INPUT = "-"
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_FIELDS = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_RUN_NAME_MAX_LENGTH = 253


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object of one of our kinds."""

    file: str
    node: Node
    """Where everything in it stands."""
    kind: Kind
    name: str
    namespace: str | None
    spec: Any
    findings: tuple[Finding, ...]
    """About the envelope; the spec is judged elsewhere."""

    @property
    def title(self) -> str:
        """What it is."""
        return f"{self.kind.name}/{self.name}"

    @property
    def place(self) -> str:
        """Where it begins."""
        return f"{self.file}:{position(self.node, '')[0]}"


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that is wrong with a document before it is an object."""

    file: str
    line: int
    column: int
    message: str


def files_in(path: str) -> list[str]:
    """The file itself, or in a folder, at any depth, those that mention our kinds. Raises Cannot."""
    folder = Path(path)
    if path == STANDARD_INPUT or not folder.is_dir():
        return [path]
    found = sorted(each for each in folder.rglob("*") if each.suffix in _SUFFIXES and each.is_file())
    visible = [each for each in found if not any(part.startswith(".") for part in each.relative_to(folder).parts)]
    return [str(each) for each in visible if GROUP.encode() in _bytes(str(each))]


def read(file: str) -> Iterator[Manifest | Unread]:
    """All that is ours in a file, and all that could not be read in it. Raises Cannot when there is no such file."""
    data = _bytes(file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        yield Unread(file, line, column, "not UTF-8")
        return
    for document in documents(text):
        yield from (Unread(file, each.line, each.column, each.message) for each in document.mistakes)
        if document.value is not None and document.node is not None:
            yield from _objects(file, plain(document.value), document.node)


def _bytes(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        raise Cannot(f"{file}: {(error.strerror or 'it cannot be read').lower()}") from None


def _objects(file: str, value: Any, node: Node) -> Iterator[Manifest | Unread]:
    if not isinstance(value, dict):
        yield _unread(file, node, "not an object: apiVersion, kind, metadata and spec are missing")
    elif value.get("kind") == "List" and isinstance(value.get("items"), list):
        for number, item in enumerate(value["items"]):
            yield from _objects(file, item, member(node, f"items[{number}]"))
    elif str(value.get("apiVersion", "")).partition("/")[0] == GROUP:
        yield from _ours(file, value, node)
    elif "apiVersion" not in value or "kind" not in value:
        yield _unread(file, node, "not an object of Kubernetes: apiVersion or kind is missing")


def _unread(file: str, node: Node, message: str, path: str = "") -> Unread:
    return Unread(file, *position(node, path), message)


def _ours(file: str, value: Mapping[str, Any], node: Node) -> Iterator[Manifest | Unread]:
    kinds = {kind.name: kind for kind in KINDS}
    if value["apiVersion"] != API_VERSION:
        said = f"apiVersion {value['apiVersion']} is not known here: {API_VERSION} is"
        yield _unread(file, node, said, "apiVersion")
    elif value.get("kind") not in kinds:
        said = f"there is no kind {value.get('kind')!r}{listed(str(value.get('kind')), kinds)}"
        yield _unread(file, node, said, "kind")
    else:
        kind = kinds[value["kind"]]
        raw = value.get("metadata")
        metadata = raw if isinstance(raw, dict) else {}
        name = metadata.get("name") or metadata.get("generateName") or "?"
        findings = (*_envelope(value), *_name(kind, metadata))
        yield Manifest(file, node, kind, str(name), metadata.get("namespace"), value.get("spec"), findings)


def _envelope(value: Mapping[str, Any]) -> Iterator[Finding]:
    for field in value.keys() - _FIELDS:
        yield Finding(path=field, reason=Reason.UNKNOWN_FIELD, message="there is no such field")
    if value.get("spec") is None:
        yield Finding(path="spec", reason=Reason.INVALID_FIELD, message="it must have a spec")


def _name(kind: Kind, metadata: Mapping[str, Any]) -> Iterator[Finding]:
    name, prefix = metadata.get("name"), metadata.get("generateName")
    longest = NAME_MAX_LENGTH if kind.rules else _RUN_NAME_MAX_LENGTH
    if name is None and isinstance(prefix, str):
        return
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        said = "it must have a name" if name is None else f"{name!r} is not a valid name: use a-z, 0-9, - and ."
        yield Finding(path="metadata.name", reason=Reason.INVALID_FIELD, message=said)
    elif len(name) > longest:
        said = f"the name of a {kind.name} has at most {longest} characters"
        yield Finding(path="metadata.name", reason=Reason.INVALID_FIELD, message=said)
