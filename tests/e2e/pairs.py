"""Runs in pairs: those of one saga succeed, those of the other fail at their last step and are undone."""

from collections import Counter
from collections.abc import Iterable

from examples.order.services import Did, Mode
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

GOOD = ("Stock.Reserve", "Payments.Charge", "Courier.Ship")
DOOMED = ("Gifts.Wrap", "Invoices.Issue", "Post.Send")
"""The last of them says no."""
SECOND = (GOOD[1], DOOMED[1])
PAIRS = 4


def create(shop: Shop, sagas: Sagas) -> None:
    """Create both Workflows."""
    shop.create(sagas.chain("good", *GOOD), sagas.chain("doomed", *DOOMED))
    shop.behave(DOOMED[-1], Mode.DECLINE)


def start(shop: Shop, pairs: int = PAIRS) -> list[tuple[str, str]]:
    """Start so many runs of each; Workflow and name of every run."""
    runs = [(saga, f"{saga}-{number}") for number in range(pairs) for saga in ("good", "doomed")]
    for saga, run in runs:
        shop.start(saga, run)
    return runs


def start_and_hold(shop: Shop, pairs: int = PAIRS) -> list[tuple[str, str]]:
    """Start so many, and wait until the second call of each is at its service, which does not answer."""
    for method in SECOND:
        shop.behave(method, Mode.HOLD)
    runs = start(shop, pairs)
    for _, run in runs:
        shop.until_called(run, "b")
    return runs


def end_as_ever(shop: Shop, runs: Iterable[tuple[str, str]], *, within: float = 60.0) -> None:
    """Wait until the runs have ended, and see that each has done what it should, once; all but the doomed succeed."""
    for saga, run in runs:
        status = shop.until(run, lambda status: "completionTime" in status, f"{run} ended", within=within)
        ended = (status["phase"], status["compensation"]["phase"])
        applied = Counter((call.operation, call.step) for call in shop.calls(run) if call.did is Did.APPLIED)
        if saga == "doomed":
            both = Counter([(operation, step) for step in "ab" for operation in ("do", "undo")])
            assert (ended, applied) == (("Failure", "Success"), both)
        else:
            assert (ended, applied) == (("Success", "NotNeeded"), Counter([("do", step) for step in "abc"]))
