"""A tuple whose items are found by their id without looking at all of them.

A status is a value: to change one of its 200 steps makes a new tuple. What is known of the others, where they are and
how many bytes they have, stays true and goes along, so that a plan that begins 100 calls does not look 100 times at 200
steps.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from operator import is_
from typing import Protocol, TypeVar


class HasId(Protocol):
    """What an item must have."""

    @property
    def id(self) -> str:
        """What tells the items apart."""


Item = TypeVar("Item", bound=HasId)


class Indexed(tuple[Item, ...]):
    """Items by id. Of those with the same id the first is found."""

    _sizes: list[int | None] | None = None
    """Size of each item that was measured, by its place."""

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Id → place of the item."""
        found: dict[str, int] = {}
        for place, item in enumerate(self):
            found.setdefault(item.id, place)
        return found

    @property
    def by_id(self) -> Mapping[str, Item]:
        """Id → item, in the order of the items."""
        return _ById(self)

    def find(self, id: str) -> Item | None:
        """The item with this id; None when there is none."""
        place = self.places.get(id)
        return None if place is None else self[place]

    def with_item(self, item: Item) -> "Indexed[Item]":
        """The same with this item in the place of the one that has its id. Raises KeyError when there is none."""
        place = self.places[item.id]
        made = Indexed((*self[:place], item, *self[place + 1 :]))
        made.places = self.places
        if self._sizes is not None:
            made._sizes = [*self._sizes[:place], None, *self._sizes[place + 1 :]]
        return made

    def changed(self, change: Callable[[Item], Item]) -> "Indexed[Item]":
        """The same with every item changed, none in its id; the very same object when no item was."""
        items = list(map(change, self))
        same = list(map(is_, items, self))
        if all(same):
            return self
        made = Indexed(items)
        made.places = self.places
        if self._sizes is not None:
            made._sizes = [size if kept else None for size, kept in zip(self._sizes, same, strict=True)]
        return made

    def size(self, measure: Callable[[Item], int]) -> int:
        """The sum of the sizes of all items. None is measured twice: `measure` must always be the same."""
        known = [None] * len(self) if self._sizes is None else self._sizes
        sizes = [measure(item) if size is None else size for item, size in zip(self, known, strict=True)]
        self._sizes = [*sizes]
        return sum(sizes)


class _ById(Mapping[str, Item]):
    """Costs nothing to make: what is known of the items has their places."""

    def __init__(self, items: Indexed[Item]) -> None:
        self._items, self._places = items, items.places

    def __getitem__(self, id: str) -> Item:
        return self._items[self._places[id]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
