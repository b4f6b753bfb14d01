"""The audit log is read while the API server writes it, and after one that was killed."""

import json
from pathlib import Path

import pytest
from tests.controlplane.audit import AuditLog


def line(audit_id: str, stage: str = "ResponseComplete") -> str:
    # The object inside looks like the beginning of an event, as a service's own payload may.
    payload = {"kind": "Event", "apiVersion": "audit.k8s.io/v1"}
    event = payload | {"auditID": audit_id, "requestObject": payload, "stage": stage}
    return json.dumps(event, separators=(",", ":")) + "\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def ids(log: AuditLog) -> list[str]:
    return [event["auditID"] for event in log.events()]


def test_no_log_yet_is_no_event(path: Path) -> None:
    assert AuditLog(path).events() == []


def test_a_line_counts_when_it_is_complete(path: Path) -> None:
    log = AuditLog(path)
    append(path, line("a") + line("b")[:70])
    assert ids(log) == ["a"]

    append(path, line("b")[70:] + line("c"))

    assert ids(log) == ["a", "b", "c"]


def test_a_watch_that_ends_is_still_one_event(path: Path) -> None:
    append(path, line("watch", "ResponseStarted") + line("a") + line("watch"))

    events = AuditLog(path).events()

    assert [(event["auditID"], event["stage"]) for event in events] == [
        ("watch", "ResponseComplete"),
        ("a", "ResponseComplete"),
    ]


def test_half_a_line_of_a_killed_server_costs_only_that_line(path: Path) -> None:
    append(path, line("a") + line("lost")[:60] + line("b") + "torn\n" + line("c"))

    assert ids(AuditLog(path)) == ["a", "b", "c"]
