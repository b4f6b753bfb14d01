"""What a message shows of an answer (semantics: Status)."""

import pytest

from flow_operator.api.status import ResponseRecord
from flow_operator.engine.messages.excerpt import LONGEST, excerpt
from flow_operator.engine.messages.payload import store_answer


def told(data: bytes, content_type: str | None = None) -> str:
    return excerpt(ResponseRecord.model_validate({"code": 422, **store_answer(data, content_type)}))


@pytest.mark.parametrize(
    ("data", "content_type", "text"),
    [
        (b"", None, ""),
        (b'{"error": "date in the past"}', "text/html", '{"error":"date in the past"}'),
        (b'"busy"', None, '"busy"'),
        (b"0.10", "application/json", "0.10"),
        (b"null", "application/json", "null"),
        (b"<h1>Welcome to nginx!</h1>", "text/html; charset=utf-8", "text/html: <h1>Welcome to nginx!</h1>"),
        (b"gone", None, "text/plain: gone"),
        (b"\xff\xfe", "image/png", "image/png, not a text"),
    ],
)
def test_it_is_the_body_with_its_type_when_it_is_not_json(data: bytes, content_type: str | None, text: str) -> None:
    assert told(data, content_type) == text


def test_it_is_one_line_in_which_nothing_moves_the_cursor_or_turns_the_text_around() -> None:
    assert told(b"a\r\n  b\x00\x1b[31mc\t\xe2\x80\xaed\xe2\x80\xa8e\x7f") == "text/plain: a b [31mc d e"
    assert told(b"gone", "text/plain\x1b[2J") == "text/plain [2J: gone"


@pytest.mark.parametrize("data", [b"x" * 100_000, b'["' + b"x" * 100_000 + b'"]', b"\n " * 50_000 + b"x"])
def test_it_is_short_however_long_the_answer_is(data: bytes) -> None:
    assert len(told(data)) <= LONGEST


def test_there_is_none_without_an_answer() -> None:
    assert excerpt(None) == ""
    assert excerpt(ResponseRecord(code=204)) == ""
