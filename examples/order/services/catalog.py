"""Which services there are, where they listen by default, and what their methods do.

A method either does something and answers with the name of what it made (`Payments.Charge` makes a payment), or undoes
what another method made (`Payments.Refund`), or only answers a question (`Fraud.Check`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Method:
    """A method: what it makes or undoes, and what it says."""

    noun: str
    """Name of what the method makes or undoes; the field of its answer and of the undo's request."""
    state: str
    """What the answer calls the result."""
    undoes: bool = False
    decline: tuple[int, Mapping[str, Any]] = (422, {"state": "declined"})
    """Code and body of a refusal."""
    says: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the answer."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service and its methods."""

    port: int
    methods: Mapping[str, Method]


SERVICES: Mapping[str, Service] = {
    "stock": Service(
        8091,
        {
            "Stock.Reserve": Method("reservation", "reserved"),
            "Stock.Release": Method("reservation", "released", undoes=True),
        },
    ),
    "fraud": Service(8092, {"Fraud.Check": Method("check", "clean", says={"score": 12})}),
    "payments": Service(
        8093,
        {
            # A card that is refused is a good answer to a good question: 200, and the body says it.
            "Payments.Charge": Method("payment", "charged", decline=(200, {"state": "declined"})),
            "Payments.Refund": Method("payment", "refunded", undoes=True),
        },
    ),
    "gifts": Service(
        8094,
        {
            "Gifts.Wrap": Method("parcel", "wrapped", says={"ribbon": "red"}),
            "Gifts.Unwrap": Method("parcel", "unwrapped", undoes=True),
        },
    ),
    "invoices": Service(
        8095,
        {
            "Invoices.Issue": Method("invoice", "issued"),
            "Invoices.Void": Method("invoice", "voided", undoes=True),
        },
    ),
    "courier": Service(
        8096,
        {
            "Courier.Ship": Method("tracking", "shipped", says={"carrier": "courier"}),
            "Courier.Cancel": Method("tracking", "cancelled", undoes=True),
        },
    ),
    "post": Service(
        8097,
        {
            "Post.Send": Method("tracking", "sent", says={"carrier": "post"}),
            "Post.Recall": Method("tracking", "recalled", undoes=True),
        },
    ),
    "mail": Service(8098, {"Mail.Send": Method("message", "sent")}),
}


def service_of(method: str) -> str:
    """The service that has a method. Raises KeyError when none has."""
    for name, service in SERVICES.items():
        if method in service.methods:
            return name
    raise KeyError(method)
