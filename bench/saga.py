"""The saga that is measured: three levels of one call each, with input, output, a verdict and an undo of every call."""

from typing import Any

from flow_operator.api.meta import API_VERSION

Object = dict[str, Any]

LEVELS = 3
WRITES_PER_RUN = LEVELS + 1
"""What the contract allows: one write that starts the first level, and one for the end of each."""
BUSY = "Busy.Call"
"""A method that is never there; the answer says to come back in an hour."""


def saga(name: str, port: int) -> Object:
    """An order: stock is reserved, the card charged, the parcel shipped."""
    steps = [
        _step(
            "reserve",
            port,
            "Stock.Reserve",
            {"order": "${input.orderId}", "items": "${input.items}"},
            "Stock.Release",
            "reservation",
        ),
        _step(
            "charge",
            port,
            "Payments.Charge",
            {
                "order": "${input.orderId}",
                "amount": "${input.amount}",
                "reservation": "${steps.reserve.output.reservation}",
            },
            "Payments.Refund",
            "payment",
            requires=["reserve"],
            outcome={"failWhen": "response.?body.?state.orValue('') == 'declined'"},
        ),
        _step(
            "ship",
            port,
            "Courier.Ship",
            {"order": "${input.orderId}", "payment": "${steps.charge.output.payment}"},
            "Courier.Cancel",
            "tracking",
            requires=["charge"],
        ),
    ]
    output = {"order": "${input.orderId}", "tracking": "${steps.ship.output.tracking}"}
    return workflow(name, steps, output=output)


def waiting_saga(name: str, port: int) -> Object:
    """The same order with a shop that is closed for an hour: its runs back off."""
    document = saga(name, port)
    document["spec"]["steps"][0]["endpoint"]["method"] = BUSY
    return document


def workflow(name: str, steps: list[Object], **spec: Any) -> Object:
    """A workflow of these steps."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"steps": steps, **spec},
    }


def run(name: str, workflow: str) -> Object:
    """One order."""
    items = [{"sku": "tea-500g", "count": 2}, {"sku": "pot-blue", "count": 1}]
    body = {"orderId": name, "customer": "c-4711", "amount": 42.5, "currency": "EUR", "items": items}
    return {
        "apiVersion": API_VERSION,
        "kind": "WorkflowExecution",
        "metadata": {"name": name},
        "spec": {"workflowRef": {"name": workflow}, "input": {"header": {"x-tenant": "acme"}, "body": body}},
    }


def _step(id: str, port: int, method: str, body: Object, undo: str, made: str, **fields: Any) -> Object:
    named = {made: "${steps.self.?response.?body.?" + made + "}", "key": "${steps.self.idempotencyKey}"}
    return {
        "id": id,
        "endpoint": {"service": "shop", "port": port, "method": method},
        "input": {"body": body},
        "compensate": {"endpoint": {"service": "shop", "port": port, "method": undo}, "input": {"body": named}},
        **fields,
    }
