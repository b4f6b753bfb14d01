"""The API server's audit log: what is recorded, and how it is read while it is written.

One request is one event: who (`user`), what (`verb`, `objectRef`), the answer (`responseStatus.code`) and two times. A
write happens between `requestReceivedTimestamp` and `stageTimestamp`, and the second may be taken a moment after the
client has the answer: a call that rightly follows a write can be earlier than its second time, never than its first.

An API server that is killed logs nothing of the requests it was answering, although etcd may have their writes.
"""

import json
from pathlib import Path
from typing import Any

from tests.controlplane.identity import CONTROLLER_MANAGER, PROBE

Event = dict[str, Any]

POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    # Without RequestReceived a request has one line, but a watch: one when it opens and one when it ends.
    "omitStages": ["RequestReceived"],
    "omitManagedFields": True,
    "rules": [
        {"level": "None", "nonResourceURLs": ["*"]},
        {"level": "None", "users": ["system:apiserver", PROBE]},
        {"level": "None", "users": [CONTROLLER_MANAGER], "verbs": ["get", "list", "watch"]},
        {
            "level": "RequestResponse",
            "verbs": ["create", "update", "patch", "delete", "deletecollection"],
            "resources": [{"group": "flow.unistack.org"}],
        },
        {"level": "Metadata"},
    ],
}

_EVENT_START = b'{"kind":"Event","apiVersion":"audit.k8s.io/v1"'


class AuditLog:
    """Reads the log as it grows: each call of `events` parses only what is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._events: dict[str, Event] = {}

    def events(self) -> list[Event]:
        """Every request so far, in the order in which they were answered (a watch: in which it was opened)."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._offset)
                # What follows the last newline is still being written, and is read the next time.
                complete, newline, _ = file.read().rpartition(b"\n")
            self._offset += len(complete) + len(newline)
            for line in complete.splitlines():
                self._add(line)
        return list(self._events.values())

    def _add(self, line: bytes) -> None:
        if event := _parse(line):
            self._events[event["auditID"]] = event


def _parse(line: bytes) -> Event | None:
    """The event that ends the line: a server killed in the middle of one leaves it before its successor's first."""
    start = 0
    while start >= 0:
        try:
            event: Event = json.loads(line[start:])
        except ValueError:
            start = line.find(_EVENT_START, start + 1)
        else:
            return event
    return None
