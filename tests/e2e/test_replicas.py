"""Two and three operators share the runs of one API server; one goes, one comes, and nothing happens twice."""

from collections import Counter

import pytest
from examples.order.services import Did, Mode
from tests.controlplane import eventually
from tests.e2e.replicas import LONG, LONG_LEASE, SLACK, Replicas, held_by, runs_counted
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e


@pytest.fixture
def replicas(bare_shop: Shop, sagas: Sagas) -> Replicas:
    """Nobody yet, in a shop with a saga of two steps."""
    bare_shop.create(sagas.chain("order", "Stock.Reserve", "Courier.Ship"))
    return Replicas(bare_shop)


def start(shop: Shop, prefix: str, count: int) -> list[str]:
    """Start so many runs; their names."""
    return [shop.start("order", f"{prefix}-{number}") for number in range(count)]


def did(shop: Shop, names: list[str]) -> Counter[Did]:
    """What all calls of these runs did."""
    return Counter(call.did for name in names for call in shop.calls(name))


def until_all_succeeded(shop: Shop, names: list[str]) -> None:
    """Wait until all these runs have ended, and well."""
    assert {shop.until_ended(name)["phase"] for name in names} == {"Success"}


def test_two_replicas_share_the_runs(replicas: Replicas) -> None:
    shop = replicas.shop
    replicas.duration = LONG
    replicas.hire("first", "second")

    names = start(shop, "run", 24)

    until_all_succeeded(shop, names)
    assert did(shop, names) == {Did.APPLIED: 2 * len(names)}
    counted = [runs_counted(each) for each in replicas.alive.values()]
    assert sum(counted) == len(names), "each run is counted by one of them"
    assert min(counted) > 0, "both have had their part"


@pytest.mark.fault(
    "a replica is added while runs are under way, and then ended (SIGTERM)",
    "It gets its share of the runs, and gives it back; no call in flight is cut, none is repeated",
)
def test_a_replica_comes_and_goes_under_load(replicas: Replicas) -> None:
    shop = replicas.shop
    replicas.duration = LONG
    shop.behave("Stock.Reserve", Mode.LATE, delay=0.5)
    replicas.hire("first", "second")
    names = start(shop, "before", 20)
    replicas.hire("third")
    names += start(shop, "with", 20)

    third = replicas.alive["third"]
    third.ask_to_end()
    replicas.takeover("third", lambda: names.append(shop.start("order", f"after-{len(names)}")))
    assert third.wait(10) == 0

    replicas.until_shared()
    until_all_succeeded(shop, names)
    assert did(shop, names) == {Did.APPLIED: 2 * len(names)}


@pytest.mark.fault(
    "one of three replicas is killed (SIGKILL) with calls in flight",
    "The others take its runs over within the lease's duration; each service does its work once",
)
def test_one_of_three_is_killed(replicas: Replicas) -> None:
    shop = replicas.shop
    shop.behave("Stock.Reserve", Mode.HOLD)
    replicas.hire("first", "second", "third")
    names = start(shop, "run", 20)
    for name in names:
        shop.until_called(name, "a")

    replicas.alive["second"].kill()
    shop.works_again("Stock.Reserve")
    replicas.takeover("second")

    until_all_succeeded(shop, names)
    assert did(shop, names)[Did.APPLIED] == 2 * len(names)
    assert did(shop, names).keys() <= {Did.APPLIED, Did.REPLAYED}


@pytest.mark.fault(
    "one of two replicas is frozen (SIGSTOP), and wakes (SIGCONT) when the other has taken over",
    "It notices before it sends or writes anything, and gets its share again",
)
def test_one_of_two_is_frozen_and_wakes(replicas: Replicas) -> None:
    shop = replicas.shop
    shop.behave("Stock.Reserve", Mode.HOLD)
    replicas.hire("first", "second")
    names = start(shop, "run", 20)
    for name in names:
        shop.until_called(name, "a")

    frozen = replicas.alive["first"]
    frozen.pause()
    shop.works_again("Stock.Reserve")
    replicas.takeover("first")
    until_all_succeeded(shop, names)
    frozen.go_on()
    replicas.alive["first"] = frozen
    replicas.until_shared()

    until_all_succeeded(shop, start(shop, "later", 10))
    assert did(shop, names)[Did.APPLIED] == 2 * len(names)


@pytest.mark.fault(
    "a rolling update changes FLOW_SHARDS",
    "The new replicas wait, warm, until no replica of the old number acts any more, and then take over at once",
)
@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 2)])
def test_another_number_of_shards_waits_for_the_end_of_the_first(replicas: Replicas, before: int, after: int) -> None:
    shop = replicas.shop
    shop.behave("Stock.Reserve", Mode.HOLD)
    replicas.shards, replicas.duration = before, LONG
    replicas.hire("old")
    names = start(shop, "run", 10)
    for name in names:
        shop.until_called(name, "a")

    new = shop.hire("new", FLOW_SHARDS=str(after), **LONG_LEASE)
    eventually(lambda: "waits until no replica" in new.log.read_text(), within=SLACK, what="the new one waiting")
    assert new.get("/readyz") == "ok\n"
    names += start(shop, "more", 10)
    for name in names:
        shop.until_called(name, "a")
    assert (held_by(replicas.alive["old"]), held_by(new)) == (before, 0)

    replicas.alive["old"].ask_to_end()
    shop.works_again("Stock.Reserve")
    eventually(lambda: held_by(new) == after, within=SLACK, what="the new one acting for all shards")
    assert replicas.alive["old"].wait(10) == 0

    until_all_succeeded(shop, names)
    assert did(shop, names) == {Did.APPLIED: 2 * len(names)}


@pytest.mark.full
@pytest.mark.fault(
    "an operator is asked to end (SIGTERM) while a call hangs",
    "It begins nothing, waits 20 s, gives the lease back, and has ended before kubelet kills it",
)
def test_it_ends_within_the_grace_period_whatever_hangs(replicas: Replicas) -> None:
    shop = replicas.shop
    shop.behave("Stock.Reserve", Mode.HOLD)
    replicas.hire("first")
    shop.start("order")
    shop.until_called("run", "a")

    replicas.alive["first"].ask_to_end()
    shop.start("order", "later")
    assert replicas.alive["first"].wait(29) == 0

    assert replicas.holders() == {"": replicas.shards}
    assert not shop.calls("later")
    assert shop.step("run", "a")["phase"] == "Running"
    replicas.alive.clear()
    shop.works_again("Stock.Reserve")
    replicas.hire("second")
    until_all_succeeded(shop, ["run", "later"])
    assert did(shop, ["run"]) == {Did.APPLIED: 2, Did.REPLAYED: 1}
