"""Every version of a run that can be seen from now on, across whatever happens to the connection."""

import math
import time
from collections.abc import Callable, Iterator

from flow_operator.adapters.clock import monotonic
from flow_operator.cli.cluster import WATCH_SECONDS, Cluster, Object
from flow_operator.cli.errors import Expired, NotThere, Unreachable

PATIENCE = 60.0
"""Seconds without the API server after which following is given up."""
_PAUSE = 1.0


def follow(
    cluster: Cluster,
    name: str,
    start: Object | None = None,
    within: float = math.inf,
    trouble: Callable[[str], None] = lambda _: None,
) -> Iterator[Object]:
    """The run as it is (or as `start` has it), then each change, until the caller has seen enough or time is up.

    Raises Cannot when the run does not exist (any more), and when the API server is away for long. While it is away,
    `trouble` is told why; an empty text says that it is back.
    """
    ends = monotonic() + within
    seen = start or cluster.run(name)
    yield seen
    while (left := ends - monotonic()) > 0:
        try:
            version = seen["metadata"]["resourceVersion"]
            for newer in cluster.changes(name, version, math.ceil(min(WATCH_SECONDS, left))):
                seen = _same(seen, newer)
                yield seen
        except (Expired, Unreachable) as error:
            newest = _read_again(cluster, name, trouble, error)
            if newest["metadata"]["resourceVersion"] != seen["metadata"]["resourceVersion"]:
                seen = _same(seen, newest)
                yield seen


def _read_again(cluster: Cluster, name: str, trouble: Callable[[str], None], error: Exception) -> Object:
    """The run as it is, as soon as it can be read."""
    given_up = monotonic() + PATIENCE
    while True:
        if isinstance(error, Unreachable):
            trouble(str(error))
            time.sleep(_PAUSE)
        try:
            found = cluster.run(name)
        except Unreachable as again:
            if monotonic() > given_up:
                raise
            error = again
        else:
            trouble("")
            return found


def _same(old: Object, new: Object) -> Object:
    if old["metadata"]["uid"] != new["metadata"]["uid"]:
        raise NotThere(f"the run {old['metadata']['name']} was deleted, and another of that name was created")
    return new
