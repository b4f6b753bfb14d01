"""What an answer of the API server means that is not the one that was hoped for."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from flow_operator.adapters.text import printable
from flow_operator.engine.errors import ClusterError, Conflict, Forbidden, Gone, NotNow, Refused, Unavailable


def error_of(code: int, header: Mapping[str, str], answer: bytes) -> ClusterError:
    """The error that this answer is."""
    message = _message(code, answer)
    retry_after = _seconds(header.get("Retry-After"))
    match code:
        case HTTPStatus.CONFLICT:
            return Conflict(message)
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            return Gone(message)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return NotNow(message, retry_after)
        case HTTPStatus.FORBIDDEN:
            return Forbidden(message, retry_after)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.REQUEST_TIMEOUT:
            return Unavailable(message, retry_after)
        case _ if code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Refused(message)
    return Unavailable(message, retry_after)


def no_answer(request: str, error: Exception) -> Unavailable:
    """The error that there is no answer to this request, or none that can be read."""
    return Unavailable(f"{request}: {printable(str(error)) or type(error).__name__}")


def _message(code: int, answer: bytes) -> str:
    try:
        said = json.loads(answer)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        said = answer.decode("utf-8", "replace")
    return f"{code} {printable(str(said))}"


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
