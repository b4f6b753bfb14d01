"""The operator dies (SIGKILL) before and after each write and each call of every kind of saga: see failpoints."""

import pytest
from tests.e2e.failpoints import STORIES, Kind, Stage, batches
from tests.e2e.proxied_shop import ProxiedShop
from tests.e2e.sagas import Sagas

pytestmark = pytest.mark.e2e

SHORT = ("failure and undo", "suspended and resumed")
"""Played by `make test`; the others by `make test-full`."""
TWICE, SOME = "failure and undo", 3
"""Killed twice by `make test`: at every third point of this story, and after what the recovery does first."""


@pytest.mark.fault(
    "the operator dies just before or just after any write or call of a saga",
    "The run ends as it would have, with the same steps done and undone, each once",
)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SHORT else pytest.mark.full) for name in STORIES]
)
def test_killed_at_every_write_and_every_call(proxied_shop: ProxiedShop, sagas: Sagas, name: str) -> None:
    proxied_shop.hire()
    story = STORIES[name]
    stage = Stage(proxied_shop, sagas, story)
    points = stage.points()
    expected = stage.outcome()
    assert expected[:2] == story.ends
    assert {Kind.STATUS, Kind.CALL, Kind.REVISION} <= {point.kind for point in points}

    for batch in batches(points):
        for run in stage.die_at(batch):
            assert (run, *stage.outcome(run)) == (run, *expected)


@pytest.mark.fault(
    "the operator dies at a write or call, and again at the first write or call of the recovery",
    "The run ends as it would have, with the same steps done and undone, each once",
)
@pytest.mark.parametrize(
    ("name", "every", "again"),
    [
        pytest.param(TWICE, SOME, True, id=f"some points of {TWICE}-after"),
        *(
            pytest.param(name, 1, again, id=f"{name}-{'after' if again else 'before'}", marks=pytest.mark.full)
            for name in STORIES
            for again in (False, True)
        ),
    ],
)
def test_killed_again_during_the_recovery(
    proxied_shop: ProxiedShop, sagas: Sagas, name: str, every: int, again: bool
) -> None:
    proxied_shop.hire()
    stage = Stage(proxied_shop, sagas, STORIES[name])
    points = stage.points()
    expected = stage.outcome()

    for batch in batches(points[::every]):
        for run in stage.die_at(batch, again=again):
            assert (run, *stage.outcome(run)) == (run, *expected)
