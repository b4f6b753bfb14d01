"""The runs that customers start: which workflow, what a service does once to it, and what a person does meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from examples.order.services import Mode
from tests.e2e.kube import Object
from tests.e2e.sagas import Sagas, workflow

SOON = {"duration": "200ms", "factor": 2, "cap": "1s"}
DOING = {"timeout": {"request": "1s"}, "retry": {"limit": 4, "backoff": SOON}}
UNDOING = {"timeout": {"request": "1s"}, "retry": {"limit": 6, "backoff": SOON}}
LATE_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class Story:
    """One kind of run."""

    workflow: str
    services: Mapping[str, tuple[Mode, int]] = field(default_factory=dict)
    """How methods behave to so many calls from now on: most likely those of this run."""
    deed: str | None = None
    """What a person does while it runs."""
    spec: Mapping[str, Any] = field(default_factory=dict)


SLOW = {"Payments.Charge": (Mode.LATE, 1)}
STORIES: Mapping[str, Story] = {
    "success": Story("order"),
    "declined": Story("order", {"Payments.Charge": (Mode.DECLINE, 1)}),
    "fallback": Story("order", {"Courier.Ship": (Mode.DECLINE, 1)}),
    "retried": Story("order", {"Invoices.Issue": (Mode.UNAVAILABLE, 2)}),
    "lost": Story("order", {"Stock.Reserve": (Mode.LOSE, 1)}),
    "parked": Story("gift", {"Mail.Send": (Mode.DECLINE, 1), "Gifts.Unwrap": (Mode.DECLINE, 1)}),
    "aborted": Story("order", SLOW, "abort"),
    "suspended": Story("order", SLOW, "suspend"),
    "held": Story("order", spec={"suspend": True}),
    "deleted": Story("order", SLOW, "delete"),
}


def workflows(sagas: Sagas) -> list[Object]:
    """The workflows of the stories."""

    def step(id: str, method: str, *requires: str, **fields: Any) -> Object:
        built = sagas.step(id, method, *requires, **{**DOING, **fields})
        return {**built, "compensate": sagas.undo(method, **UNDOING)} if "compensate" in built else built

    declined = {"failWhen": "response.?body.?state.orValue('') == 'declined'"}
    order = (
        step("check", "Fraud.Check"),
        step("reserve", "Stock.Reserve", "check"),
        step("charge", "Payments.Charge", "reserve", outcome=declined),
        step("bill", "Invoices.Issue", "reserve"),
        step("ship", "Courier.Ship", "charge", "bill", fallback="send"),
        step("send", "Post.Send"),
    )
    gift = (
        step("reserve", "Stock.Reserve"),
        step("wrap", "Gifts.Wrap", "reserve"),
        step("tell", "Mail.Send", "wrap"),
    )
    return [workflow("order", *order), workflow("gift", *gift)]
