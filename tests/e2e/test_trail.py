"""The trail of a run, as it is read from the audit log and the journals."""

from typing import Any

from examples.order.services import Did, Entry, Sent
from tests.e2e.history import runs

UID = "uid-1"
STEPS: list[dict[str, Any]] = [{"id": "a"}, {"id": "b", "requires": ["a"]}]


def event(verb: str, version: int, code: int = 200, **fields: Any) -> dict[str, Any]:
    """One request about the run, as the API server logs it."""
    metadata = {"namespace": "shop", "name": "order", "uid": UID, "resourceVersion": str(version)}
    return {
        "verb": verb,
        "objectRef": {"resource": "workflowexecutions", "namespace": "shop", "name": "order"},
        "requestReceivedTimestamp": f"2026-01-01T00:00:{version % 60:02}.000000Z",
        "responseStatus": {"code": code},
        "responseObject": {"metadata": metadata},
        **fields,
    }


def status_write(before: int, version: int, status: dict[str, Any], code: int = 200) -> dict[str, Any]:
    """A write of the status that was made from one version and made another."""
    return event(
        "update",
        version,
        code,
        objectRef={"resource": "workflowexecutions", "namespace": "shop", "name": "order", "subresource": "status"},
        requestObject={"metadata": {"resourceVersion": str(before)}, "status": status},
    )


def call(key: str, time: str = "2026-01-01T00:00:30+00:00") -> Entry:
    """A call that a service received."""
    return Entry(time, "", "", key, "shop/order", "a", "do", 1, "digest", {}, Did.APPLIED, Sent.AT_ONCE, 200, {})


def test_writes_are_in_the_order_in_which_they_were_stored_and_refused_ones_are_none() -> None:
    second, first = status_write(11, 12, {"phase": "Success"}), status_write(10, 11, {"phase": "Running"})
    refused = status_write(10, 11, {"phase": "Failure"}, code=409)

    (run,) = runs([event("create", 10), second, refused, first], [], {})

    assert (run.name, run.uid) == ("shop/order", UID)
    assert [write.status["phase"] for write in run.writes] == ["Running", "Success"]
    assert not any(write.after_gap for write in run.writes)


def test_a_write_that_the_log_does_not_have_leaves_a_gap() -> None:
    (run,) = runs([event("create", 10), status_write(11, 12, {})], [], {})

    assert [write.after_gap for write in run.writes] == [True]


def test_writes_of_people_are_no_gap() -> None:
    (run,) = runs([event("create", 10), event("patch", 11), status_write(11, 12, {})], [], {})

    assert [write.after_gap for write in run.writes] == [False]


def test_the_graph_is_that_of_the_revision() -> None:
    (run,) = runs([event("create", 10), status_write(10, 11, {"revision": "order-1"})], [], {"order-1": STEPS})

    assert run.steps == STEPS


def test_calls_belong_to_the_run_whose_uid_is_in_their_key() -> None:
    calls = [call("uid-2/a/do/0"), call(f"{UID}/a/do/0", "2026-01-01T00:00:31+00:00"), call(f"{UID}/a/do/0")]

    (run,) = runs([event("create", 10)], calls, {})

    assert [each.time[-8:-6] for each in run.calls] == ["30", "31"]
