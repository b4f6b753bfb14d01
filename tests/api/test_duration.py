"""Durations (semantics: Retry and time)."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from flow_operator.api.duration import LONGEST, seconds, written


@pytest.mark.parametrize(
    ("text", "length"),
    [("500ms", 0.5), ("10s", 10), ("1h30m", 5400), ("7d", 604800), ("0s", 0), ("1m1m", 120), ("3650d", LONGEST)],
)
def test_length(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "5", "s", "-1s", "1.5s", "1 s", "1S", "1w", "10s ", "10s\n", "٣s"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: write for example 500ms, 10s, 1h30m or 7d"):
        seconds(text)


def test_at_most_ten_years() -> None:
    with pytest.raises(ValueError, match="longer than ten years"):
        seconds("3650d1s")


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0s"),
        (0.0004, "0s"),
        (0.25, "250ms"),
        (1, "1s"),
        (1.5, "1s500ms"),
        (59.9996, "1m"),
        (60, "1m"),
        (61.4, "1m1s"),
        (3600, "1h"),
        (90061, "1d1h1m1s"),
    ],
)
def test_written(length: float, text: str) -> None:
    assert written(length) == text


@given(some.floats(min_value=0, max_value=LONGEST))
def test_what_is_written_can_be_read(length: float) -> None:
    assert seconds(written(length)) == pytest.approx(length, abs=0.0006 if length < 60 else 0.51)
