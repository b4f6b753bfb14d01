"""For a while the API server refuses one kind of request only: runs that need none of it go on, the others wait."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from tests.controlplane import eventually
from tests.e2e.operator import Operator
from tests.e2e.pairs import GOOD, SECOND, create, end_as_ever, start_and_hold
from tests.e2e.proxied_shop import ProxiedShop
from tests.e2e.proxy import Passing, Rule, refuse
from tests.e2e.relay import SHORT_LEASE
from tests.e2e.replicas import held_by
from tests.e2e.sagas import Sagas

pytestmark = pytest.mark.e2e

CODES = (403, 500, 503)
DEFINITIONS = ("workflows", "steps")
RUNS, REVISIONS = "workflowexecutions", "controllerrevisions"
UNDER_WAY = frozenset({"good-0", "doomed-0"})
"""Each has a call in flight when the outage begins."""
NEW = frozenset({"known", "fresh"})
"""The first runs of a Workflow that was known before, and of one that is created during the outage."""


@dataclass(frozen=True)
class Outage:
    """Which requests fail, and which runs have to wait for the end of that."""

    fails: Callable[[Passing], bool]
    waiting: frozenset[str]
    settings: Mapping[str, str] = field(default_factory=dict)
    begin: Callable[[Operator], None] = lambda _: None
    """What has to happen before the outage is felt."""


def stand_by(operator: Operator) -> None:
    """Wait until it has noticed that its lease is not renewed."""
    eventually(lambda: not held_by(operator), within=15, what="the operator standing by")


OUTAGES: dict[str, tuple[Outage, str]] = {
    "for a while only lists and watches of Workflows and Steps fail (403, 500 or 503)": (
        Outage(lambda it: it.resource in DEFINITIONS and not it.is_write and not it.name, frozenset({"fresh"})),
        "Runs of known Workflows start and go on; those of new ones start when it is over",
    ),
    "for a while only lists and watches of runs fail": (
        Outage(lambda it: it.resource == RUNS and not it.is_write and not it.name, NEW),
        "Runs under way go on to their end; new ones are found when it is over",
    ),
    "for a while only reads of revisions fail, and the operator dies": (
        Outage(lambda it: it.resource == REVISIONS and not it.is_write, UNDER_WAY, begin=Operator.crash),
        "Runs that had started wait; others start and go on",
    ),
    "for a while only creations of revisions fail": (
        Outage(lambda it: it.resource == REVISIONS and it.is_write, NEW),
        "Runs under way go on; the first run of a Workflow waits before its first call",
    ),
    "for a while only writes of the status of runs fail": (
        Outage(lambda it: it.resource == RUNS and it.is_status, UNDER_WAY | NEW),
        "Answers are kept, nothing is called; all go on when it is over",
    ),
    "for a while only writes of the status of Workflows and Steps fail": (
        Outage(lambda it: it.resource in DEFINITIONS and it.is_status, frozenset()),
        "Runs start and go on all the same; the statuses are written when it is over",
    ),
    "for a while only events cannot be posted": (
        Outage(lambda it: it.resource == "events", frozenset()),
        "Runs go on; those events are lost",
    ),
    "for a while only requests about leases fail": (
        Outage(lambda it: it.resource == "leases", UNDER_WAY | NEW, SHORT_LEASE, stand_by),
        "The operator ceases to act in time, and goes on when it has its lease again",
    ),
}


@pytest.mark.fault(OUTAGES)
@pytest.mark.parametrize(
    ("what", "code"),
    [
        pytest.param(what, code, marks=() if number % len(CODES) == chosen else pytest.mark.full)
        for number, what in enumerate(OUTAGES)
        for chosen, code in enumerate(CODES)
    ],
)
def test_others_go_on_while(proxied_shop: ProxiedShop, sagas: Sagas, what: str, code: int) -> None:
    shop, outage = proxied_shop.shop, OUTAGES[what][0]
    create(shop, sagas)
    operator = proxied_shop.hire(**outage.settings)
    shop.define(sagas.chain("known", *GOOD))
    runs = [*start_and_hold(shop, pairs=1), ("known", "known"), ("fresh", "fresh")]
    calls = {run: len(shop.calls(run)) for _, run in runs}

    refused = Rule(outage.fails, refuse(code))
    proxied_shop.api.rules = [refused]
    proxied_shop.api.cut_streams()
    outage.begin(operator)
    shop.create(sagas.chain("fresh", *GOOD))
    for run in NEW:
        shop.start(run, run)
    shop.works_again(*SECOND)

    end_as_ever(shop, [(saga, run) for saga, run in runs if run not in outage.waiting])
    felt = refused.applied
    eventually(lambda: not outage.waiting or refused.applied > felt, within=30, what="asked for again")
    for run in outage.waiting:
        assert "completionTime" not in shop.status(run)
        assert len(shop.calls(run)) == calls[run]
    assert refused.applied > 0

    proxied_shop.api.rules = []
    end_as_ever(shop, runs)
    shop.until_ready("workflows", "fresh")
