"""The only clock."""

from datetime import UTC

from flow_operator.adapters import clock


def test_the_time_of_day_is_in_utc_and_says_so() -> None:
    assert clock.now().tzinfo is UTC


def test_monotonic_seconds_do_not_go_back() -> None:
    assert clock.monotonic() <= clock.monotonic()
