"""Following a run off a terminal ends: when a person is needed, when time is up, when no operator has looked at it."""

import math
from collections.abc import Callable, Iterator

from flow_operator.adapters.clock import monotonic
from flow_operator.cli.cluster import Cluster, Object
from flow_operator.cli.following import follow
from flow_operator.cli.view import HINT_SECONDS, RunView

GIVE_UP_SECONDS = 60.0
"""How long such a run is followed where nobody watches."""


def versions(
    cluster: Cluster, name: str, start: Object | None, timeout: float | None, trouble: Callable[[str], None]
) -> Iterator[Object | None]:
    """Each version of a run; None when the operator has not looked at it for long enough to say so.

    Ends when time is up: `timeout`, or, where there is none, GIVE_UP_SECONDS without a look of the operator.
    """
    began, last = monotonic(), start
    stages = HINT_SECONDS, GIVE_UP_SECONDS if timeout is None else timeout
    for place, stage in enumerate(stages):
        for version in follow(cluster, name, last, _left(began, stage, timeout), trouble):
            last = version
            yield version
            if RunView.of(version).seen_by_operator:
                yield from follow(cluster, name, last, _left(began, math.inf, timeout), trouble)
                return
        if place == 0:
            yield None


def _left(began: float, stage: float, timeout: float | None) -> float:
    return max(0.0, began + min(stage, math.inf if timeout is None else timeout) - monotonic())
