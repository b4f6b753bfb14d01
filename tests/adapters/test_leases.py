"""Who holds the one lease, and above all: that two never believe it at once."""

import asyncio
import contextlib
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from tests.adapters.lease_stage import DURATION, Fleet, Replica, story
from tests.reconciler.virtual_time import now, pass_time

from flow_operator.adapters.leases import GRACE_SECONDS, LOOK_AT, STOP_AT, TAKE_AT

LOOK = DURATION * LOOK_AT + 0.1
"""Within so many seconds everybody has seen what is new, and acted upon it."""


def acts(replica: Replica) -> bool:
    """Whether it holds the lease and knows it."""
    return replica.held == replica.acting == {0}


def test_the_first_gets_it_at_once_and_keeps_it() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one")
        assert await fleet.until(lambda: acts(one)) < 0.1
        versions = set()
        for _ in range(100):
            await pass_time(1)
            assert acts(one)
            versions.add(fleet.server.spec()["renewTime"])
        assert 18 <= len(versions) <= 21, "renewed each third of the duration"
        assert fleet.server.writes <= 21, "nothing else is written when there is nothing to share"
        assert fleet.server.spec()["holderIdentity"] == "one"
        assert fleet.server.spec()["leaseDurationSeconds"] == 15
        assert fleet.server.spec()["leaseTransitions"] == 0

    story(told)


def test_a_standby_takes_over_within_the_duration_after_the_holder_went_away() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one")
        await fleet.until(lambda: acts(one))
        two = fleet.start("two")
        await pass_time(60)
        assert not two.acting
        await one.die()
        assert DURATION * (TAKE_AT - 1 / 3) - LOOK <= await fleet.until(lambda: acts(two)) <= DURATION
        assert fleet.server.spec()["leaseTransitions"] == 1

    story(told)


def test_a_lease_that_was_given_back_is_taken_up_soon() -> None:
    async def told(fleet: Fleet) -> None:
        one, two = fleet.start("one", "two")
        await fleet.until(lambda: acts(one))
        await one.stop()
        assert fleet.server.spec()["holderIdentity"] == ""
        assert await fleet.until(lambda: acts(two)) <= LOOK

    story(told)


def test_a_lease_that_is_being_taken_when_the_end_comes_is_given_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def told(fleet: Fleet) -> None:
        create = fleet.server.create

        async def answer_late(*arguments: Any) -> Any:
            created = await create(*arguments)
            await pass_time(1)
            return created

        monkeypatch.setattr(fleet.server, "create", answer_late)
        one = fleet.start("one")
        await fleet.until(lambda: bool(fleet.server.objects))
        await one.stop()
        assert fleet.server.spec()["holderIdentity"] == ""

    story(told)


def test_a_restart_under_the_same_identity_takes_it_back_at_once() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one")
        await fleet.until(lambda: acts(one))
        await one.die()
        again = fleet.start("one")
        assert await fleet.until(lambda: acts(again)) < 0.1

    story(told)


@pytest.mark.fault(
    "the operator that acts cannot reach the API server", "It ceases to act before another could take over"
)
@pytest.mark.parametrize("away", ["hangs", "fails"])
def test_a_holder_that_cannot_renew_stops_before_another_can_begin(away: str) -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one")
        await fleet.until(lambda: acts(one))
        if away == "hangs":
            fleet.server.hang.clear()
        else:
            fleet.server.away = True
        took = await fleet.until(lambda: not one.acting)
        assert DURATION * (STOP_AT - 0.35) <= took <= DURATION * STOP_AT + 0.1
        assert not one.held
        fleet.server.away = False
        fleet.server.hang.set()
        assert await fleet.until(lambda: acts(one)) < 3

    story(told)


def test_a_renewal_that_fails_now_and_then_is_no_loss() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one")
        await fleet.until(lambda: acts(one))
        for _ in range(10):
            fleet.server.away = True
            await pass_time(6)
            assert acts(one)
            fleet.server.away = False
            await pass_time(6)
            assert acts(one)

    story(told)


def test_a_process_that_was_frozen_lets_go_before_it_begins_anew() -> None:
    """Its monotonic clock has gone on, and nothing else has."""

    async def told(fleet: Fleet) -> None:
        frozen = 0.0
        one = fleet.start("one")
        one.leases._monotonic = lambda: asyncio.get_running_loop().time() + frozen
        await fleet.until(lambda: acts(one))
        frozen = DURATION
        assert not one.held, "the moment it wakes, before anything has run"
        await fleet.until(lambda: one.losses == 1)
        assert await fleet.until(lambda: acts(one)) <= LOOK

    story(told)


def test_an_answer_that_is_looked_at_late_takes_nobody_for_dead() -> None:
    """A standby is frozen between the answer and its look at it: the holder has renewed since."""

    async def told(fleet: Fleet) -> None:
        one, two = fleet.start("one", "two")
        await fleet.until(lambda: acts(one) or acts(two))
        standby = two if acts(one) else one
        standby.leases._patience = lambda: 1000.0  # the timeout does not ring while nothing runs
        list_all = fleet.server.list_all

        async def freezing(plural: str, namespace: str) -> list[dict[str, Any]]:
            answer = await list_all(plural, namespace)
            if asyncio.current_task() is standby.task:
                await pass_time(2 * DURATION)
            return answer

        fleet.server.list_all = freezing  # type: ignore[method-assign]
        await pass_time(300)
        assert not standby.acting
        assert fleet.server.spec()["leaseTransitions"] == 0

    story(told)


@pytest.mark.fault(
    "the time of day of a node is set by a day, forwards or back", "Nothing: leases are measured by monotonic clocks"
)
@pytest.mark.parametrize("hours", [-24, 24])
def test_a_wall_clock_that_jumps_changes_nothing(hours: int) -> None:
    async def told(fleet: Fleet) -> None:
        jump = timedelta()

        def wall() -> datetime:
            return now() + jump

        one, two = fleet.start("one", "two", wall=wall)
        holder = one if await fleet.until(lambda: acts(one) or acts(two)) is not None and acts(one) else two
        await pass_time(30)
        jump = timedelta(hours=hours)
        for _ in range(120):
            await pass_time(1)
            assert acts(holder)
        assert fleet.server.spec()["leaseTransitions"] == 0
        await holder.die()
        other = two if holder is one else one
        assert DURATION * (TAKE_AT - 1 / 3) - LOOK <= await fleet.until(lambda: acts(other)) <= DURATION

    story(told)


def test_giving_it_back_to_an_api_server_that_is_away_does_not_hold_up_the_end() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one")
        await fleet.until(lambda: acts(one))
        fleet.server.away = True
        began = asyncio.get_running_loop().time()
        await one.stop()
        assert asyncio.get_running_loop().time() - began <= 3.1
        assert not one.acting

    story(told)


def test_whoever_ends_waits_for_what_is_in_flight_but_not_longer_than_the_grace() -> None:
    async def told(fleet: Fleet) -> None:
        for busy, took, cut in ((5.0, 5.0, set()), (100.0, GRACE_SECONDS, {0})):
            one = fleet.start(f"busy for {busy:g}")
            await fleet.until(partial(acts, one))
            one.busy[0] = busy
            began = asyncio.get_running_loop().time()
            stopping = asyncio.create_task(one.stop())
            await pass_time(0.1)
            assert one.draining == {0}, "nothing new from the first moment on"
            assert one.held == {0}, "and what is in flight can still be stored"
            await stopping
            assert took <= asyncio.get_running_loop().time() - began <= took + 0.2
            assert one.cut == cut
            assert fleet.server.spec()["holderIdentity"] == ""

    story(told)


def test_the_lease_is_kept_while_a_long_call_is_waited_for_at_the_end() -> None:
    async def told(fleet: Fleet) -> None:
        one, two = fleet.start("one"), None
        await fleet.until(lambda: acts(one))
        two = fleet.start("two")
        one.busy[0] = 19.0
        stopping = asyncio.create_task(one.stop())
        await pass_time(18.9)
        assert one.held == {0}
        assert not two.acting
        await stopping
        assert await fleet.until(lambda: acts(two)) <= LOOK

    story(told)


def test_an_error_is_not_the_end_of_striving() -> None:
    async def told(fleet: Fleet) -> None:
        fleet.server.away = True
        one = fleet.start("one")
        await pass_time(30)
        assert not one.acting
        fleet.server.away = False
        await fleet.until(lambda: acts(one))

    story(told)


def test_a_lease_that_somebody_deletes_is_let_go_and_taken_anew() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one")
        await fleet.until(lambda: acts(one))
        fleet.server.objects.clear()
        assert await fleet.until(lambda: one.losses == 1) <= LOOK
        await fleet.until(lambda: acts(one))

    story(told)


def test_a_lease_that_another_took_by_force_is_let_go() -> None:
    async def told(fleet: Fleet) -> None:
        one = fleet.start("one")
        await fleet.until(lambda: acts(one))
        lease = fleet.server.objects["leases", "flow", "flow-operator-0"]
        lease["spec"]["holderIdentity"] = "somebody"
        lease["metadata"]["resourceVersion"] = "999"
        assert await fleet.until(lambda: not one.acting) <= LOOK
        with contextlib.suppress(TimeoutError):
            await fleet.until(lambda: acts(one), within=10)
        assert not one.acting

    story(told)
