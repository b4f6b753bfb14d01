"""When a call is tried again (semantics: Retry and time)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from flow_operator.api.status import CallStatus, Phase
from flow_operator.api.step import Backoff
from flow_operator.engine.identity import chance
from flow_operator.engine.retries import budget_left, pause, retry_after

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STEADY = {"jitter": 0}


@pytest.mark.parametrize(
    ("backoff", "seconds"),
    [
        ({}, [1, 2, 4, 8, 16, 32, 60, 60]),
        ({"duration": "500ms", "factor": 3}, [0.5, 1.5, 4.5, 13.5, 40.5, 60]),
        ({"duration": "10s", "factor": 1}, [10, 10, 10]),
        ({"duration": "2m", "cap": "1m"}, [60, 60]),
        ({"duration": "0s"}, [0, 0]),
        ({"duration": "3650d", "cap": "3650d", "factor": 100}, [315360000, 315360000]),
    ],
)
def test_the_delay_grows_up_to_the_cap(backoff: dict[str, object], seconds: list[float]) -> None:
    policy = Backoff.model_validate(STEADY | backoff)
    assert [pause(policy, retry, 0.9).total_seconds() for retry in range(1, len(seconds) + 1)] == seconds


@pytest.mark.parametrize("retry", [1_000, 1_000_000])
def test_the_delay_of_a_very_late_retry_is_the_cap(retry: int) -> None:
    assert pause(Backoff.model_validate(STEADY), retry, 0) == timedelta(minutes=1)
    assert pause(Backoff.model_validate(STEADY | {"factor": 1.5}), retry, 0) == timedelta(minutes=1)


@pytest.mark.parametrize(("chance", "seconds"), [(-1, 5), (-0.5, 7.5), (0, 10), (0.5, 12.5)])
def test_jitter_makes_it_longer_or_shorter(chance: float, seconds: float) -> None:
    assert pause(Backoff(duration="10s", jitter=0.5), 1, chance).total_seconds() == seconds


@given(some.text(), some.integers(0, 10**6))
def test_the_chance_is_the_same_after_a_restart_and_within_bounds(key: str, number: int) -> None:
    assert -1 <= chance(key, number) < 1
    assert chance(key, number) == chance(key, number)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", None),
        ("1", 1),
        (" 120 ", 120),
        ("3600", 3600),
        ("3601", 3600),
        ("99999999999999999999", 3600),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 01:00:30 +0100", 30),
        ("Thursday, 01-Jan-26 00:00:30 GMT", 30),
        ("Thu Jan  1 00:00:30 2026", 30),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 3600),
        ("Wed, 31 Dec 2025 23:59:59 GMT", None),
        ("Thu, 99 Jan 2026 00:00:30 GMT", None),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after(text: str | None, seconds: int | None) -> None:
    assert retry_after(text, NOW) == (None if seconds is None else timedelta(seconds=seconds))


@given(some.text() | some.from_regex(r"[A-Za-z]{3}, \d{1,4} [A-Za-z]{3} \d{1,6} \d\d:\d\d:\d\d [A-Z+\-0-9]{0,6}"))
def test_no_retry_after_breaks_anything(text: str) -> None:
    found = retry_after(text, NOW)
    assert found is None or timedelta() < found <= timedelta(hours=1)


@pytest.mark.parametrize(("asked", "seconds"), [(None, 10), (5, 10), (15, 15)])
def test_retry_after_wins_when_it_is_longer(asked: int | None, seconds: int) -> None:
    wanted = None if asked is None else timedelta(seconds=asked)
    assert pause(Backoff(duration="10s", jitter=0), 1, 0, wanted).total_seconds() == seconds


@pytest.mark.parametrize(
    ("attempts", "since", "limit", "left"),
    [
        (1, 0, 0, False),
        (1, 0, 1, True),
        (2, 0, 1, False),
        (3, 0, 3, True),
        (4, 0, 3, False),
        (1_000_000, 0, -1, True),
        (5, 4, 1, True),
        (6, 4, 1, False),
    ],
)
def test_the_limit_counts_retries_of_the_present_budget(attempts: int, since: int, limit: int, left: bool) -> None:
    call = CallStatus(phase=Phase.RUNNING, attempts=attempts, budget_from=since)
    assert budget_left(call, limit) is left
