"""The demo's own checks: what they let pass is right, and nothing wrong gets past them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from examples.order.demo.checks import Expected, Graph, differences
from examples.order.demo.stories import STORIES
from examples.order.demo.summary import most_effects_per_key, summary
from examples.order.manifests import DIRECTORY, definitions
from examples.order.services import SERVICES, Did, Entry, Sent

GRAPH = Graph(definitions({name: service.port for name, service in SERVICES.items()})[-1]["spec"]["steps"])


def calls(*written: str) -> list[Entry]:
    """Entries one after the other, from `operation step did`; the same step and operation have the same key."""
    return [entry(f"{number:03}", *line.split()) for number, line in enumerate(written)]


def entry(time: str, operation: str, step: str, did: str) -> Entry:
    key = f"uid/{step}/{operation}/0"
    return Entry(time, "", "", key, "shop/order", step, operation, 1, "digest", {}, Did(did), Sent.AT_ONCE, 200, {})


DECLINED = calls(
    "do fraud applied",
    "do reserve applied",
    "do wrap applied",
    "do charge declined",
    "undo wrap applied",
    "undo reserve failed",
    "undo reserve applied",
)
EXPECTED = Expected(
    phase="Failure",
    compensation="Success",
    done={"fraud": "applied", "reserve": "applied", "wrap": "applied", "charge": "declined"},
    undone={"wrap": "applied", "reserve": "failed, applied"},
    steps={"charge": "Failure/None"},
)
STATUS: dict[str, Any] = {
    "phase": "Failure",
    "compensation": {"phase": "Success"},
    "steps": [{"id": "charge", "phase": "Failure"}],
}


def moved(entries: Sequence[Entry], index: int, time: str) -> list[Entry]:
    """The same calls, one of them at another time."""
    changed = [replace(entry, time=time) if number == index else entry for number, entry in enumerate(entries)]
    return sorted(changed, key=lambda entry: entry.time)


def test_what_is_right_passes() -> None:
    assert differences(EXPECTED, STATUS, DECLINED, GRAPH) == []


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (DECLINED[:-1], "undo reserve: failed, and not failed, applied"),
        (DECLINED[1:], "do fraud: no call, and not applied"),
        (DECLINED + calls("do ship applied"), "do ship: applied, and not no call"),
        ([*DECLINED, replace(DECLINED[4], time="099")], "2 effects under the key uid/wrap/undo/0"),
        ([*DECLINED[:-1], replace(DECLINED[-1], key="other")], "undo reserve was called under 2 keys"),
        ([*DECLINED[:-1], replace(DECLINED[-1], digest="other")], "2 bodies under the key uid/reserve/undo/0"),
        (moved(DECLINED, 0, "0035"), "charge was called before fraud was done"),
        (moved(DECLINED, 4, "999"), "reserve was undone before wrap, which depends on it"),
        (moved(DECLINED, 2, "0045"), "something was undone while something was still being done"),
    ],
)
def test_every_wrong_journal_is_found(entries: list[Entry], said: str) -> None:
    assert said in differences(EXPECTED, STATUS, entries, GRAPH)


def test_a_wrong_end_is_found() -> None:
    status = {"phase": "Success", "steps": [{"id": "charge", "phase": "Success", "effect": "Applied"}]}
    assert differences(EXPECTED, status, DECLINED, GRAPH) == [
        "it ended as Success, compensation absent, and not as Failure, compensation Success",
        "step charge ended as Success/Applied, and not as Failure/None",
    ]


def test_a_fallback_stands_between_its_owner_and_what_requires_the_owner() -> None:
    assert GRAPH.ancestors("post") == {"ship", "charge", "wrap", "reserve", "fraud"}
    assert "post" in GRAPH.ancestors("notify")


def test_every_story_has_its_order_and_names_steps_that_exist() -> None:
    written = {f"order-{path.stem}" for path in (DIRECTORY / "orders").glob("*.yaml")}
    assert [story.order for story in STORIES] == sorted(written)
    for story in STORIES:
        expected = story.expected
        named = expected.done.keys() | expected.undone.keys() | expected.steps.keys()
        assert all("reserve" in GRAPH.ancestors(step) for step in named - {"reserve", "fraud"})


def test_the_summary_counts_what_each_method_did() -> None:
    charges = [replace(call, method="Payments.Charge") for call in calls("do charge failed", "do charge applied")]
    table = summary(charges)
    rows = list(zip(*(column.cells for column in table.columns), strict=True))
    assert ("payments", "Payments.Charge", "2", "1", "·", "·", "1", "·", "1") in rows
    assert ("", "Payments.Refund", *"·" * 7) in rows
    assert most_effects_per_key(charges) == 1
    assert most_effects_per_key([]) == 0
