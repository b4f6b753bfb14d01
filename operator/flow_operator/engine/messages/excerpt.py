"""What a service answered, as far as a message for people shows it: on one line, and nothing that moves a cursor."""

import re
from typing import Final

from flow_operator.api.status import ResponseRecord
from flow_operator.engine.expressions.json_text import write

LONGEST: Final = 200
_READ: Final = 4 * LONGEST
_CONTROL: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def excerpt(response: ResponseRecord | None) -> str:
    """The answer's body, shortened; what is not JSON behind its content type: `text/html: <h1>Welcome…`."""
    if response is None:
        return ""
    kind = response.content_type and response.content_type.partition(";")[0].strip()
    if response.body_encoding is not None:
        return _shortened(f"{kind}, not a text")
    text = response.raw_body
    if text is None:
        text = "" if response.body is None else write(response.body)
    return _shortened(f"{kind}: {text[:_READ]}" if kind else text[:_READ])


def _shortened(text: str) -> str:
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
