"""Bodies as they are stored: between a value or bytes in memory and the plain dict in a status.

    {body: …}                                            JSON that the API server keeps as it is
    {rawBody: "…"}                                       JSON whose numbers it would change, as canonical text
    {rawBody: "…", contentType: "…"}                     what is kept as it came: text that is not JSON, or a raw step's
    {rawBody: "…", bodyEncoding: "base64", contentType}  the same, when it is not UTF-8
    {}                                                   nothing: an empty answer

So `contentType` tells the two kinds of text apart: it is there for what is kept as it came, and only then
(semantics: Messages).
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

from flow_operator.engine.expressions.json_text import NotJSON, Value, parse, survives, write

TEXT: Final = "text/plain"
BYTES: Final = "application/octet-stream"


class Spilled(LookupError):
    """The body lies in a ConfigMap (semantics: Size) and must be read from there first."""


def store(value: Value) -> dict[str, Any]:
    """A value as it is stored.

    A body that is null is stored as text: as `body: null` it would look like no body to whatever drops nulls.
    """
    if value is not None and survives(value):
        return {"body": value}
    return {"rawBody": write(value)}


def store_answer(data: bytes, content_type: str | None, *, raw: bool = False) -> dict[str, Any]:
    """What a service answered as it is stored; with `raw` the very bytes, JSON or not.

    What is JSON is decided by the bytes, not by the content type: services mislabel.
    """
    if not data:
        return {}
    if not raw:
        try:
            return store(parse(data))
        except NotJSON:
            pass
    try:
        return {"rawBody": data.decode(), "contentType": content_type or TEXT}
    except UnicodeDecodeError:
        encoded = b64encode(data).decode("ascii")
        return {"rawBody": encoded, "bodyEncoding": "base64", "contentType": content_type or BYTES}


def load(payload: Mapping[str, Any] | None) -> Value:
    """The value that is passed on. Nothing is null; text that is not JSON is a string, base64 included."""
    seen = view(payload)
    return seen.get("body", seen.get("text"))


def load_bytes(payload: Mapping[str, Any] | None) -> bytes:
    """The bytes that a raw step passes on: the very ones that came, canonical JSON for everything else."""
    if payload and payload.get("bodyEncoding") == "base64":
        return b64decode(payload["rawBody"])
    return _text(payload).encode()


def view(payload: Mapping[str, Any] | None) -> dict[str, Value]:
    """What expressions see of a body: `body` if it is JSON, `text` if it is not, nothing if it is empty."""
    if not payload:
        return {}
    if payload.get("ref") is not None:
        raise Spilled(payload["ref"].get("name"))
    text = payload.get("rawBody")
    if text is None:
        return {"body": payload["body"]} if "body" in payload else {}
    if payload.get("bodyEncoding") is None:
        try:
            return {"body": parse(text)}
        except NotJSON:
            pass
    return {"text": text}


def size(payload: Mapping[str, Any] | None) -> int:
    """Bytes of the body's text where it is stored: in the status, or in the ConfigMap that it was spilled to."""
    if payload and payload.get("ref") is not None:
        return int(payload["ref"]["size"])
    return len(_text(payload).encode())


def _text(payload: Mapping[str, Any] | None) -> str:
    if not payload:
        return ""
    if payload.get("ref") is not None:
        raise Spilled(payload["ref"].get("name"))
    text: str | None = payload.get("rawBody")
    if text is not None:
        return text
    return write(payload["body"]) if "body" in payload else ""
