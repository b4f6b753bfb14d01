"""Kubernetes Events on runs: what they say, and that nobody waits for one."""

import asyncio

import pytest
from tests.reconciler.fake_cluster import FakeCluster, Fault
from tests.reconciler.virtual_time import now, run

from flow_operator.adapters.events import WAITING, Events
from flow_operator.api.reasons import Reason
from flow_operator.engine.contract import Event
from flow_operator.engine.errors import Unavailable


def posted(cluster: FakeCluster) -> list[dict[str, object]]:
    """The events that are there."""
    return [body for (plural, _, _), body in cluster.objects.items() if plural == "events"]


def test_an_event_says_what_happened_to_which_run() -> None:
    async def story() -> list[dict[str, object]]:
        cluster = FakeCluster([])
        events = Events(cluster, "pod-1", now)
        poster = asyncio.create_task(events.run())
        events.post("shop", "run", "u-1", Event("Warning", Reason.RUN_FAILED, "ä" * 2000))
        await events.flush()
        poster.cancel()
        return posted(cluster)

    [event] = run(story())
    assert event["involvedObject"] == {
        "apiVersion": "flow.unistack.org/v1alpha1",
        "kind": "WorkflowExecution",
        "namespace": "shop",
        "name": "run",
        "uid": "u-1",
    }
    assert (event["type"], event["reason"]) == ("Warning", "RunFailed")
    message = str(event["message"])
    assert len(message.encode()) <= 1024
    assert message.endswith("ä…")
    assert event["reportingInstance"] == "pod-1"


@pytest.mark.parametrize("error", [Unavailable("503"), RuntimeError("a mistake")], ids=["503", "unexpected"])
def test_one_that_cannot_be_posted_does_not_hold_up_the_next(error: Exception) -> None:
    async def story() -> int:
        cluster = FakeCluster([])
        cluster.fail("create", Fault(error))
        events = Events(cluster, "pod-1", now)
        poster = asyncio.create_task(events.run())
        for message in ("lost", "kept"):
            events.post("shop", "run", "u", Event("Normal", Reason.COMMAND_ACCEPTED, message))
        await events.flush()
        poster.cancel()
        return len(posted(cluster))

    assert run(story()) == 1


def test_while_nobody_posts_the_oldest_are_dropped_and_nobody_waits_long_for_the_rest() -> None:
    async def story() -> float:
        events = Events(FakeCluster([]), "pod-1", now)
        for number in range(WAITING + 10):
            events.post("shop", "run", "u", Event("Normal", Reason.COMMAND_ACCEPTED, str(number)))
        assert events._waiting.qsize() == WAITING
        await events.flush()
        return asyncio.get_running_loop().time()

    assert run(story()) == 2.0
