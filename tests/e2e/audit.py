"""What the API server's audit log says about one shop, and whether the operator can be proud of it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from tests.controlplane import eventually
from tests.e2e.history import RUNS, Run, runs, violations
from tests.e2e.kube import Object
from tests.e2e.shop import Shop

__all__ = ["RUNS", "blemishes", "checked", "code", "histories", "history", "requests", "until_compared", "writes"]

BAD_REQUEST, FORBIDDEN = HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN
WRITING = frozenset({"create", "update", "patch", "delete", "deletecollection"})


def requests(shop: Shop) -> Iterator[Object]:
    """Every request that the operators of a shop have made. A request that is refused as a stranger's has no user."""
    return (event for event in shop.cluster.audit_events() if event["user"].get("username") == shop.account.user)


def writes(shop: Shop) -> list[Object]:
    """Those of them that have changed something; the lease, which is renewed all the time, aside."""
    return [
        event
        for event in requests(shop)
        if event["verb"] in WRITING and event["objectRef"]["resource"] != "leases" and code(event) < BAD_REQUEST
    ]


def code(event: Object) -> int:
    """The status code of the answer; 0 while there is none, as of a watch."""
    answered: int = event.get("responseStatus", {}).get("code", 0)
    return answered


def histories(shop: Shop) -> list[Run]:
    """The history of every run of a shop, deleted ones included."""
    about = (e for e in shop.cluster.audit_events() if e.get("objectRef", {}).get("namespace") == shop.namespace)
    revisions = shop.kube.list("controllerrevisions", shop.namespace)
    steps = {each["metadata"]["name"]: each["data"]["definition"]["steps"] for each in revisions}
    calls = [call for call in shop.services.entries() if call.execution.startswith(f"{shop.namespace}/")]
    return runs(about, calls, steps)


def history(shop: Shop, run: str) -> Run:
    """The history of one run."""
    return next(each for each in histories(shop) if each.name == f"{shop.namespace}/{run}")


def blemishes(shop: Shop) -> list[str]:
    """What is in the histories, in the logs, or in the answers of the API server, and should not be there."""
    found = [violation for run in histories(shop) for violation in violations(run)]
    found += [f"log: {line}" for operator in shop.operators for line in operator.faults()]
    return found + [
        f"forbidden: {event['verb']} {event['requestURI']}"
        for event in requests(shop)
        if code(event) == FORBIDDEN and not shop.refusals_are_borne
    ]


def until_compared(shop: Shop) -> None:
    """Wait until the operator has listed all kinds as often as it does at its start.

    Twice for what it and kopf begin with, and once to compare: that list may be news of an object which the watch
    brings a moment later.
    """

    def compared() -> bool:
        lists = Counter(event["objectRef"]["resource"] for event in requests(shop) if event["verb"] == "list")
        return all(lists[plural] >= 3 for plural in (RUNS, "workflows", "steps"))

    eventually(compared, within=30, what="the lists of the start compared")


@contextmanager
def checked(shop: Shop) -> Iterator[Shop]:
    """At the end of the block all that happened in a shop is checked, and its operators end."""
    try:
        yield shop
        shop.close()  # the histories are read one after the other: nothing may happen between
        found = blemishes(shop)
        assert not found, "\n".join(found)
    finally:
        shop.close()
