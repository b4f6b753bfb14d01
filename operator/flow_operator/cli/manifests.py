"""The objects in YAML files, with the place where each was found and what is wrong with its envelope."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow_operator.api.kinds import KINDS, Kind
from flow_operator.api.meta import API_VERSION, GROUP, NAME_MAX_LENGTH
from flow_operator.api.reasons import Reason
from flow_operator.api.status import Finding
from flow_operator.cli.documents import documents, plain
from flow_operator.cli.errors import Cannot

STANDARD_INPUT = "-"
_FIELDS = frozenset({"apiVersion", "kind", "metadata", "spec", "status"})
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_RUN_NAME_MAX_LENGTH = 253


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object of one of our kinds."""

    place: str
    """`file:document`."""
    kind: Kind
    name: str
    namespace: str | None
    spec: Any
    findings: tuple[Finding, ...]
    """About the envelope; the spec is judged elsewhere."""

    @property
    def title(self) -> str:
        """Where it is and what it is."""
        return f"{self.place} {self.kind.name}/{self.name}"


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that is wrong with a document before it is an object."""

    place: str
    message: str


def read(file: str) -> Iterator[Manifest | Unread]:
    """All that is ours in a file, and all that could not be read in it. Raises Cannot when there is no such file."""
    try:
        text = (sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()).decode("utf-8-sig")
    except OSError as error:
        raise Cannot(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        yield Unread(f"{file}:1", f"line {line}: not UTF-8")
        return
    for document in documents(text):
        place = f"{file}:{document.number}"
        yield from (Unread(place, f"line {mistake.line}: {mistake.message}") for mistake in document.mistakes)
        if document.value is not None:
            yield from _objects(place, plain(document.value))


def _objects(place: str, value: Any) -> Iterator[Manifest | Unread]:
    if not isinstance(value, dict):
        yield Unread(place, "not an object: apiVersion, kind, metadata and spec are missing")
    elif value.get("kind") == "List" and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from _objects(place, item)
    elif str(value.get("apiVersion", "")).partition("/")[0] == GROUP:
        yield from _ours(place, value)
    elif "apiVersion" not in value or "kind" not in value:
        yield Unread(place, "not an object of Kubernetes: apiVersion or kind is missing")


def _ours(place: str, value: Mapping[str, Any]) -> Iterator[Manifest | Unread]:
    kinds = {kind.name: kind for kind in KINDS}
    if value["apiVersion"] != API_VERSION:
        yield Unread(place, f"apiVersion {value['apiVersion']} is not known here: {API_VERSION} is")
    elif value.get("kind") not in kinds:
        yield Unread(place, f"there is no kind {value.get('kind')!r}: there are {', '.join(kinds)}")
    else:
        kind = kinds[value["kind"]]
        raw = value.get("metadata")
        metadata = raw if isinstance(raw, dict) else {}
        name = metadata.get("name") or metadata.get("generateName") or "?"
        findings = (*_envelope(value), *_name(kind, metadata))
        yield Manifest(place, kind, str(name), metadata.get("namespace"), value.get("spec"), findings)


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
        said = "it must have a name" if name is None else f"{name!r} is no name of an object: use a-z, 0-9, - and ."
        yield Finding(path="metadata.name", reason=Reason.INVALID_FIELD, message=said)
    elif len(name) > longest:
        said = f"the name of a {kind.name} has at most {longest} characters"
        yield Finding(path="metadata.name", reason=Reason.INVALID_FIELD, message=said)
