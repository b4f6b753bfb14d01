"""Small workflows for tests, of the services of examples/order."""

from collections.abc import Mapping
from typing import Any

from examples.order.services.catalog import service_of
from tests.e2e.kube import Object

API_VERSION = "flow.unistack.org/v1alpha1"
UNDO_OF = {
    "Stock.Reserve": "Stock.Release",
    "Payments.Charge": "Payments.Refund",
    "Gifts.Wrap": "Gifts.Unwrap",
    "Invoices.Issue": "Invoices.Void",
    "Courier.Ship": "Courier.Cancel",
    "Post.Send": "Post.Recall",
}
SOON = {"duration": "200ms", "jitter": 0.0}
"""A back-off that is over before anybody gets impatient."""


class Sagas:
    """Builds steps that call the services where they listen."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = ports

    def endpoint(self, method: str) -> Object:
        """Where a method is called."""
        service = service_of(method)
        return {"service": service, "method": method, "port": self._ports[service]}

    def step(self, id: str, method: str, *requires: str, undo: bool = True, **fields: Any) -> Object:
        """A step that calls a method, tried twice, and is undone by the method's own undo."""
        step = {
            "id": id,
            "endpoint": self.endpoint(method),
            "requires": list(requires),
            "input": {"body": {"step": id}},
            "retry": {"limit": 1, "backoff": SOON},
            **fields,
        }
        if undo and method in UNDO_OF:
            step["compensate"] = self.undo(method)
        return step

    def undo(self, method: str, **fields: Any) -> Object:
        """The undo of a method, which names the call by its key; it parks after two attempts."""
        return {
            "endpoint": self.endpoint(UNDO_OF[method]),
            "input": {"body": {"key": "${steps.self.idempotencyKey}"}},
            "retry": {"limit": 1, "backoff": SOON},
            **fields,
        }

    def chain(self, name: str, *methods: str, **spec: Any) -> Object:
        """A workflow in which each step requires the one before it; the steps are called a, b, c, …"""
        ids = [chr(ord("a") + number) for number in range(len(methods))]
        steps = [self.step(ids[n], method, *ids[max(n - 1, 0) : n]) for n, method in enumerate(methods)]
        return workflow(name, *steps, **spec)


def workflow(name: str, *steps: Object, **spec: Any) -> Object:
    """A workflow of these steps."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"steps": list(steps), **spec},
    }


def step(name: str, **spec: Any) -> Object:
    """A Step."""
    return {"apiVersion": API_VERSION, "kind": "Step", "metadata": {"name": name}, "spec": spec}


def run_of(workflow: str, name: str = "run", **spec: Any) -> Object:
    """A run of a workflow."""
    return {
        "apiVersion": API_VERSION,
        "kind": "WorkflowExecution",
        "metadata": {"name": name},
        "spec": {"workflowRef": {"name": workflow}, **spec},
    }
