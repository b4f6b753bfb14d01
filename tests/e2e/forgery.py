"""Forges histories: what the API server and the services would have written down, had the operator done this."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from examples.order.services import Did, Entry, Sent
from tests.e2e.history import Run, Write
from tests.e2e.history.trail import Document

UID = "00000000-aaaa"
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class Forgery:
    """A history that grows. Every write starts from the one before it, and each entry is a second after the last."""

    def __init__(self, steps: Sequence[Document]) -> None:
        self.steps = steps
        self.writes: list[Write] = []
        self.calls: list[Entry] = []
        self._ids = 0
        self._status: dict[str, Any] = {
            "phase": "Running",
            "startTime": "t",
            "revision": "order-1",
            "steps": [{"id": step["id"], "phase": "Pending"} for step in steps],
        }

    def write(self, steps: Mapping[str, Document] | None = None, **fields: Any) -> None:
        """Store a status in which these fields, and these of the steps, have changed. A field that is None goes."""
        status = copy.deepcopy(self._status)
        _merge(status, fields)
        for step in status["steps"]:
            _merge(step, (steps or {}).get(step["id"], {}))
        self._status = status
        self.writes.append(Write(self._tick(), 100 + len(self.writes), status))

    def call(self, step: str, operation: str = "do", *, attempt: int = 1, **fields: Any) -> None:
        """A service receives a call."""
        entry = Entry(
            time=self._tick().isoformat(),
            service="service",
            method="Method",
            key=f"{UID}/{step}/{operation}/0",
            execution="shop/order",
            step=step,
            operation=operation,
            attempt=attempt,
            digest=step,
            body=None,
            did=Did.APPLIED,
            sent=Sent.AT_ONCE,
            code=200,
            answer=None,
            undoes=f"{UID}/{step}/do/0" if operation == "undo" else None,
        )
        self.calls.append(replace(entry, **fields))

    def running(self, step: str, operation: str = "do", *, attempt: int = 1, **fields: Any) -> Document:
        """A new attempt as it is recorded."""
        self._ids += 1
        told = {
            "phase": "Running",
            "attempts": attempt,
            "attemptId": f"id-{self._ids}",
            "idempotencyKey": f"{UID}/{step}/{operation}/0",
            **fields,
        }
        return told if operation == "do" else {"compensation": told}

    @property
    def run(self) -> Run:
        """The history so far."""
        return Run("shop/order", UID, self.writes, self.calls, self.steps)

    def _tick(self) -> datetime:
        return BEGINNING + timedelta(seconds=1 + len(self.writes) + len(self.calls))


def ended(phase: str = "Success", effect: str = "Applied", **fields: Any) -> Document:
    """What changes in a call that ends."""
    return {"phase": phase, "effect": effect, "attemptId": None, **fields}


def undone() -> Document:
    """What changes in a step whose undo has succeeded."""
    return {"compensation": ended()}


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if value is None:
            into.pop(name, None)
        elif isinstance(value, Mapping):
            _merge(into.setdefault(name, {}), value)
        else:
            into[name] = value
