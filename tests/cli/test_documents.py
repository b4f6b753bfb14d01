"""YAML is read as kubectl reads it, and nothing is lost on the way."""

from typing import Any

import pytest

from flow_operator.cli.documents import Mistake, documents, plain
from flow_operator.engine.expressions.json_text import Number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("+7", 7),
        ("1_000", 1000),
        ("0x1F", 31),
        ("017", 15),
        ("0o17", 15),
        ("0b11", 3),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("0.5", 0.5),
        (".5", 0.5),
        ("0.10", Number("0.10")),
        ("1.0", Number("1.0")),
        ("1e400", Number("1e400")),
        ("-0", Number("-0")),
        ("'1'", "1"),
        ("1.2.3", "1.2.3"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("yes", True),
        ("off", False),
        ("~", None),
        ("''", ""),
        ("=", "="),
        ("a\n\n b", "a\nb"),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    (document,) = documents(f"x: {text}\n")
    assert document.value == {"x": value}
    assert type(document.value["x"]) is type(value)
    assert document.mistakes == ()


def test_keys_are_text_as_they_are_written() -> None:
    (document,) = documents("1: a\ntrue: b\n~: c\n")
    assert document.value == {"1": "a", "true": "b", "~": "c"}


def test_anchors_and_merges() -> None:
    (document,) = documents("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n")
    assert document.value == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}
    assert document.mistakes == ()


def test_empty_documents_count_and_are_left_out() -> None:
    found = list(documents("---\n---\na: 1\n---\n# nothing\n---\nb: 2\n"))
    assert [(document.number, document.value) for document in found] == [(2, {"a": 1}), (4, {"b": 2})]


def test_every_duplicate_key_is_found_with_both_lines() -> None:
    (document,) = documents('a: 1\nb: {c: 1,\n "c": 2}\na: 3\n')
    assert document.mistakes == (
        Mistake(4, "the key 'a' is there twice, first in line 1"),
        Mistake(3, "the key 'c' is there twice, first in line 2", column=2),
    )


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("a: [1,\n", Mistake(2, "not YAML: something is missing here: a value, or the end of a [ or {")),
        ("a: b: c", Mistake(1, "not YAML: a second `key:` on this line: quote the text, or check the indentation")),
        ("a:\n- b: .inf", Mistake(2, ".inf is not a number that JSON can hold")),
        ("a: !!binary aGk=", Mistake(1, "the tag tag:yaml.org,2002:binary has no meaning here")),
        ("a: !ours 1", Mistake(1, "the tag !ours has no meaning here")),
        ("? [a]\n: b", Mistake(1, "a key must be text")),
        ("a: 1\nb: \x07", Mistake(2, "the character '\\x07' is not allowed")),
    ],
)
def test_what_cannot_be_read_ends_the_file(text: str, mistake: Mistake) -> None:
    *good, last = documents(f"z: 0\n---\n{text}")
    assert [document.value for document in good] in ([{"z": 0}], [])
    assert last.value is None
    assert [(each.line, each.message) for each in last.mistakes] == [(mistake.line + 2, mistake.message)]


def test_plain_is_what_the_api_server_would_hold() -> None:
    assert plain({"a": [Number("0.10"), 1, {"b": Number("1.0")}]}) == {"a": [0.1, 1, {"b": 1.0}]}
