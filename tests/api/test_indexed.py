"""Items that are found by their id, and what is known of them when one of them changes."""

from dataclasses import dataclass, replace

import pytest

from flow_operator.api.indexed import Indexed


@dataclass(frozen=True)
class Item:
    """Something with an id."""

    id: str
    text: str = ""


ITEMS = Indexed((Item("a", "1"), Item("b", "22"), Item("a", "333")))


def test_the_first_of_those_with_the_same_id_is_found() -> None:
    assert ITEMS.find("a") is ITEMS[0]
    assert ITEMS.find("c") is None
    assert dict(ITEMS.by_id) == {"a": ITEMS[0], "b": ITEMS[1]}


def test_an_item_takes_the_place_of_the_one_with_its_id() -> None:
    new = Item("b", "new")
    assert ITEMS.with_item(new) == (ITEMS[0], new, ITEMS[2])
    with pytest.raises(KeyError):
        ITEMS.with_item(Item("c"))


def test_what_does_not_change_is_the_very_same() -> None:
    assert ITEMS.changed(lambda item: item) is ITEMS
    changed = ITEMS.changed(lambda item: replace(item, text="x") if item.id == "b" else item)
    assert changed == (ITEMS[0], Item("b", "x"), ITEMS[2])
    assert changed[0] is ITEMS[0]


def test_only_what_has_changed_is_measured_again() -> None:
    measured: list[str] = []

    def measure(item: Item) -> int:
        measured.append(item.text)
        return len(item.text)

    items = Indexed(ITEMS)
    assert items.size(measure) == items.size(measure) == 6
    assert measured == ["1", "22", "333"]
    assert items.with_item(Item("b", "4444")).size(measure) == 8
    assert items.changed(lambda item: replace(item, text="55555") if item.text == "333" else item).size(measure) == 8
    assert measured[3:] == ["4444", "55555"]
    assert items.size(measure) == 6
