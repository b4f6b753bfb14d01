"""What is noted of a run that nobody looks at."""

import pytest
from tests.engine.scenario import Story

from flow_operator.reconciler.entry import Entry

WORKFLOW = """
  steps:
  - {id: a, endpoint: {url: "http://a"}, retry: {limit: 0}, compensate: {endpoint: {url: "http://ua"}}, fallback: f}
  - {id: f, endpoint: {url: "http://f"}}
  - {id: b, requires: [a], endpoint: {url: "http://b"}}
"""
FAILED = ["answer a 200", "answer b 400"]
PARKED = [*FAILED, "answer undo a 403"]


@pytest.mark.parametrize(
    ("story", "parked"),
    [
        ([], False),
        (FAILED, False),
        ([*FAILED, "command suspend"], False),
        (PARKED, True),
        ([*PARKED, "command suspend"], True),
        ([*PARKED, "command retry"], False),
        ([*PARKED, 'command abort {"compensate": false}'], False),
        (["noanswer a", "answer undo a 403"], True),
    ],
    ids=lambda value: " · ".join(value) if isinstance(value, list) else str(value),
)
def test_a_run_is_parked_while_an_undo_waits_for_a_person(story: list[str], parked: bool) -> None:
    told = Story()
    list(told.tell("workflow", WORKFLOW))
    for directive in ["start", *story]:
        list(told.tell(directive, ""))
    entry = Entry("shop", "order-1", "uid")
    entry.summarize(told.world.status.document())
    assert entry.parked is parked


@pytest.mark.parametrize("conditions", [None, 1, "x", [None, 1, {}], [{"type": "CompensationFailed"}]])
def test_conditions_that_are_none_are_no_matter(conditions: object) -> None:
    entry = Entry("shop", "order-1", "uid")
    entry.summarize({"conditions": conditions})
    assert entry.parked is False
