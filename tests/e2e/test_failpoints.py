"""The operator dies (SIGKILL) before and after each write and each call of every kind of saga: see failpoints."""

import pytest
from tests.e2e.between import Between
from tests.e2e.failpoints import STORIES, Kind, Stage, batches
from tests.e2e.sagas import Sagas

pytestmark = pytest.mark.e2e

SHORT = ("failure and undo", "suspended and resumed")
"""Played by `make test`; the others by `make test-full`."""


@pytest.mark.fault(
    "the operator dies just before or just after any write or call of a saga",
    "The run ends as it would have, with the same steps done and undone, each once",
)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SHORT else pytest.mark.full) for name in STORIES]
)
def test_killed_at_every_write_and_every_call(between: Between, sagas: Sagas, name: str) -> None:
    between.hire()
    story = STORIES[name]
    stage = Stage(between, sagas, story)
    points = stage.points()
    expected = stage.outcome()
    assert expected[:2] == story.ends
    assert {Kind.STATUS, Kind.CALL, Kind.REVISION} <= {point.kind for point in points}

    for batch in batches(points):
        for run in stage.die_at(batch):
            assert (run, *stage.outcome(run)) == (run, *expected)
