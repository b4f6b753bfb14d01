"""A verb given by annotation, and how it is taken off again (semantics: Verbs)."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from flow_operator.api.meta import (
    COMMAND_ANNOTATION,
    COMMAND_ANNOTATIONS,
    COMMAND_ARGS_ANNOTATION,
    COMMAND_ID_ANNOTATION,
)
from flow_operator.engine.contract import Command
from flow_operator.engine.expressions.json_text import NotJSON, parse

LONGEST_ID = 253
"""Characters of an id that the status repeats; a longer one stands there as its digest."""


def command_in(metadata: Mapping[str, Any]) -> Command | None:
    """The command in the annotations of an object, if there is one.

    Without an id of its own, it is identified by what it says and by the write that said it, so that the same verb
    given again later is another command.
    """
    annotations = metadata.get("annotations") or {}
    verb = annotations.get(COMMAND_ANNOTATION)
    if verb is None:
        return None
    text = annotations.get(COMMAND_ARGS_ANNOTATION)
    manager, time = _writer(metadata.get("managedFields") or ())
    id = annotations.get(COMMAND_ID_ANNOTATION) or _digest(verb, text, manager, time)
    return Command(id=id if len(id) <= LONGEST_ID else _digest(id), verb=verb, args=_arguments(text), by=manager)


def removal(version: str) -> dict[str, Any]:
    """The merge patch that takes the annotations off, unless the object has changed since this version."""
    return {"metadata": {"resourceVersion": version, "annotations": dict.fromkeys(COMMAND_ANNOTATIONS)}}


def _arguments(text: str | None) -> dict[str, Any] | None:
    if text is None or not text.strip():
        return {}
    try:
        given = parse(text)
    except NotJSON:
        return None
    return given if isinstance(given, dict) else None


def _writer(entries: Iterable[Mapping[str, Any]]) -> tuple[str | None, str | None]:
    """Who wrote the annotation, and when: the latest owner, should there be several."""
    owners = [
        (entry.get("time") or "", entry.get("manager") or "")
        for entry in entries
        if f"f:{COMMAND_ANNOTATION}" in _owned_annotations(entry)
    ]
    if not owners:
        return None, None
    time, manager = max(owners)
    return manager or None, time or None


def _owned_annotations(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    owned: Any = entry.get("fieldsV1") or {}
    for name in ("f:metadata", "f:annotations"):
        owned = owned.get(name) or {}
    return owned if isinstance(owned, dict) else {}


def _digest(*parts: str | None) -> str:
    return sha256(json.dumps(parts).encode()).hexdigest()[:32]
