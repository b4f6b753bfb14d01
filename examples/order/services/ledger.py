"""What a service knows, and what a call makes of it. Pure: no clock, no network, no files.

Three rules make a service fit for a saga:

1. The same idempotency key has one effect, and gets the same answer however often it comes.
2. An undo names its call by what the call answered or, when that answer was lost, by the key of the call.
3. An undo forbids its call from then on: one that was under way on a slow line has no effect any more, and one that
   is repeated since the caller's memory was put back from a backup learns that it was undone.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from examples.order.services.behaviour import Mode
from examples.order.services.catalog import Method
from examples.order.services.journal import Did, Entry


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the service reads it."""

    method: str
    key: str
    body: Any

    @property
    def digest(self) -> str:
        """sha256 of the body's JSON."""
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a call did, and what it is answered. Without a code the connection is closed."""

    did: Did
    code: int | None
    answer: Any = None
    undoes: str | None = None


class Ledger:
    """Everything a service has done, by key."""

    def __init__(self, methods: Mapping[str, Method], past: Iterable[Entry]) -> None:
        self._methods = methods
        self._known: dict[str, Entry] = {}
        self._made: dict[str, str] = {}
        self._undone: set[str] = set()
        for entry in past:
            self.remember(entry)

    def remember(self, entry: Entry) -> None:
        """Take note of a call that is in the journal."""
        method = self._methods[entry.method]
        if entry.undoes is not None:
            self._undone.add(entry.undoes)
        if entry.did is Did.APPLIED and not method.undoes:
            self._made[entry.answer[method.noun]] = entry.key
        # A refusal to undo is not final: someone sorts it out, and the same undo is asked for again.
        if entry.did in (Did.APPLIED, Did.NOTHING) or (entry.did is Did.DECLINED and not method.undoes):
            self._known.setdefault(entry.key, entry)

    def decide(self, call: Call, mode: Mode) -> Decision:
        """What this call does while its method behaves as `mode` says."""
        method = self._methods[call.method]
        if mode is Mode.UNAVAILABLE:
            return Decision(Did.FAILED, 503, {"error": "the service is not available"})
        if mode is Mode.DISCONNECT:
            return Decision(Did.FAILED, None)
        if not method.undoes and call.key in self._undone:
            return Decision(Did.NOTHING, 410, {"error": "this call was undone"})
        if (known := self._known.get(call.key)) is not None:
            if known.digest != call.digest:
                return Decision(Did.MISMATCH, 422, {"error": "this key was used with another body"})
            return Decision(Did.REPLAYED, known.code, known.answer)
        if mode is Mode.DECLINE:
            return Decision(Did.DECLINED, *method.decline)
        return self._undo(call, method) if method.undoes else self._do(call, method)

    def _do(self, call: Call, method: Method) -> Decision:
        name = f"{method.noun}-{hashlib.sha256(call.key.encode()).hexdigest()[:8]}"
        return Decision(Did.APPLIED, 200, {method.noun: name, "state": method.state, **method.says})

    def _undo(self, call: Call, method: Method) -> Decision:
        body = call.body if isinstance(call.body, dict) else {}
        name = body.get(method.noun)
        key = self._made.get(name) if name else body.get("key")
        if key is None:
            return Decision(Did.NOTHING, 404, {"error": f"no such {method.noun}"})
        if key in self._undone:
            return Decision(Did.NOTHING, 410, {"error": f"this {method.noun} was {method.state} before"})
        made = next((made for made, by in self._made.items() if by == key), None)
        if made is None:
            return Decision(Did.NOTHING, 404, {"error": f"no such {method.noun}"}, undoes=key)
        return Decision(Did.APPLIED, 200, {method.noun: made, "state": method.state}, undoes=key)
