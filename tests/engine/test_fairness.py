"""How slots are shared between namespaces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow_operator.engine.fairness import may_take


def taken_alone(total: int) -> int:
    """How many slots a namespace gets that wants all, with nothing else going on."""
    held = 0
    while may_take(held, total - held):
        held += 1
    return held


@pytest.mark.parametrize(("total", "gets"), [(1, 1), (2, 1), (3, 2), (50, 40), (1000, 800)])
def test_a_namespace_alone_gets_about_four_fifths(total: int, gets: int) -> None:
    assert taken_alone(total) == gets


@given(st.integers(2, 300), st.lists(st.integers(0, 5), max_size=600))
def test_no_namespace_ever_has_all(total: int, who: list[int]) -> None:
    held = [0] * 6
    for namespace in who:
        if may_take(held[namespace], total - sum(held)):
            held[namespace] += 1
    assert sum(held) <= total
    assert max(held) < total


@given(st.integers(2, 300))
def test_a_namespace_that_holds_nothing_gets_one_while_any_is_free(total: int) -> None:
    assert may_take(0, total - taken_alone(total))


def test_a_fixed_limit_replaces_the_share() -> None:
    assert may_take(held=6, free=1, limit=7)
    assert not may_take(held=7, free=100, limit=7)
    assert not may_take(held=0, free=0, limit=7)
