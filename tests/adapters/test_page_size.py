"""How the size of pages follows what arrives."""

import pytest

from flow_operator.adapters.page_size import MOST_BYTES, MOST_NEEDED, PageSize

SMALL = 1000


def pages(size: PageSize, number: int, *, capacity: int, bytes: int = SMALL) -> tuple[int, int]:
    """Ask for so many pages of objects of so many bytes; how many stalled, and how many were too large."""
    stalled = too_large = 0
    for _ in range(number):
        if size.objects > capacity:
            stalled += 1
            size.halve(stalled=True)
        elif size.bytes is not None and size.objects * bytes > size.bytes:
            too_large += 1
            size.halve(stalled=False)
        else:
            size.came(size.objects, size.objects * bytes, ease=100)
    return stalled, too_large


def test_small_objects_come_500_at_a_time() -> None:
    size = PageSize()
    assert pages(size, 100, capacity=500) == (0, 0)
    assert size.objects == 500


def test_objects_of_768_kib_come_a_few_at_a_time_and_no_page_is_wasted_after_that() -> None:
    size = PageSize()
    assert pages(size, 1000, capacity=500, bytes=768 * 1024) == (0, 7)
    assert size.objects == 3


def test_pages_grow_back_when_objects_are_small_again() -> None:
    size = PageSize()
    pages(size, 100, capacity=500, bytes=768 * 1024)
    pages(size, 10, capacity=500)
    assert size.objects == 500


def test_pages_that_stall_are_tried_again_ever_less_often() -> None:
    size = PageSize()
    pages(size, 200, capacity=100)
    stalled, _ = pages(size, 1000, capacity=100)
    assert stalled <= 1000 / MOST_NEEDED


def test_pages_grow_back_when_the_api_server_is_fast_again() -> None:
    size = PageSize()
    pages(size, 20, capacity=1)
    assert size.objects == 1
    pages(size, 4 * MOST_NEEDED, capacity=500)
    assert size.objects == 500


@pytest.mark.parametrize(
    ("objects", "bytes", "ease"),
    [(62, MOST_BYTES // 2 + 1, 100.0), (62, SMALL, 1.5), (61, SMALL, 100.0)],
    ids=["large", "slow", "the last one"],
)
def test_a_page_after_which_none_is_larger(objects: int, bytes: int, ease: float) -> None:
    size = PageSize(62)
    size.came(objects, bytes, ease)
    assert size.objects == 62


def test_a_single_object_may_have_any_size() -> None:
    assert PageSize(1).bytes is None
    size = PageSize(1)
    size.halve(stalled=False)
    assert size.objects == 1
