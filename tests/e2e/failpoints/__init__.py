"""The operator is killed (SIGKILL) just before and just after each write and each call of a saga.

A saga is played once without a fault, and its requests are counted. Then it is played again for each of them, by as
many runs side by side: each is held at a point of its own, by the proxies, before its request goes through or before
the answer comes back. When all are held the operator dies for all of them at once, and starts again; perhaps each run
is then held at the first that it does, and the operator dies once more. Every run has to end as the first one did, to
the last effect at the services.
"""

from tests.e2e.failpoints.playing import Stage, batches
from tests.e2e.failpoints.points import Failpoints, Kind, Point
from tests.e2e.failpoints.stories import STORIES, Story

__all__ = ["STORIES", "Failpoints", "Kind", "Point", "Stage", "Story", "batches"]
