"""Headers: which are Flow's own, and which a user may set (semantics: Headers on every call)."""

import re

from flow_operator.api.step import HEADER_NAME_PATTERN

RESERVED = frozenset(
    {
        "idempotency-key",
        "traceparent",
        "tracestate",
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "expect",
    }
)
RESERVED_PREFIX = "x-flow-"
JSON_TYPE = "application/json"
KEPT_OF_RESPONSE = ("content-type", "location", "retry-after", "etag", "x-request-id")

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_JSON_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/([a-z0-9!#$&^_.-]+\+)?json(\s*;.*)?", re.IGNORECASE)


def problem(name: str, value: str | None = None) -> str | None:
    """Why a user may not set this header; None when they may. A template is judged without its value."""
    lower = name.lower()
    if not re.fullmatch(HEADER_NAME_PATTERN, name):
        return f"{name!r} is no name of a header"
    if lower in RESERVED or lower.startswith(RESERVED_PREFIX):
        return f"the header {lower} is set by Flow itself"
    if value is None:
        return None
    if _CONTROL.search(value):
        return f"the value of the header {lower} has a control character"
    if lower == "content-type" and not _JSON_TYPE.fullmatch(value.strip()):
        return f"content-type can only be application/json or another JSON type (…+json), not {value!r}"
    return None
