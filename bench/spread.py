"""A few numbers for many: the median and the slow end."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds: half of all are below p50, all but one in twenty below p95."""

    p50: float
    p95: float


def spread(seconds: Iterable[float]) -> Spread:
    """The spread of some durations."""
    cuts = quantiles(seconds, n=20, method="inclusive")
    return Spread(cuts[9] * 1000, cuts[18] * 1000)
