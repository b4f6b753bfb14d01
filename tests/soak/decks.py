"""Dice that leave nothing out."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def dealt(cards: Sequence[T], dice: Random) -> Iterator[T]:
    """Every card once in random order, then all of them again, without end."""
    while True:
        yield from dice.sample(cards, len(cards))
