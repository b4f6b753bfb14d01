"""The operator dies (SIGKILL) before and after each write of a lease: taking, renewing, giving back, deleting it."""

from collections import Counter
from collections.abc import Callable

import pytest
from examples.order.services import Did, Mode
from tests.controlplane import eventually
from tests.e2e.kube import Object
from tests.e2e.operator import Operator
from tests.e2e.proxied_shop import ProxiedShop
from tests.e2e.proxy import Hold, Passing, Rule
from tests.e2e.relay import DURATION, SHORT_LEASE
from tests.e2e.replicas import SLACK, Replicas, held_by
from tests.e2e.sagas import Sagas

from flow_operator.adapters.lease_facts import replica_lease

pytestmark = pytest.mark.e2e

WITHIN = 15.0

Write = Callable[[Passing, str], bool]
"""Whether this is such a write of that replica."""


def takes(passing: Passing, who: str) -> bool:
    """A lease that is there for the first time, or was another's, or nobody's."""
    spec = _spec(passing)
    return spec.get("holderIdentity") == who and spec["acquireTime"] == spec["renewTime"]


def keeps(passing: Passing, who: str) -> bool:
    """A lease that was its own before: it renews it, or takes it back after a restart."""
    spec = _spec(passing)
    return spec.get("holderIdentity") == who and spec["acquireTime"] != spec["renewTime"]


def gives_back(passing: Passing, _: str) -> bool:
    """A lease for others to have."""
    return _spec(passing).get("holderIdentity") == ""


def takes_a_shard(passing: Passing, who: str) -> bool:
    """The lease of one of several shards."""
    return takes(passing, who) and passing.document["metadata"]["name"] != replica_lease(who)


def makes_itself_known(passing: Passing, who: str) -> bool:
    """The lease by which the others know of it, for the first time."""
    return takes(passing, who) and passing.document["metadata"]["name"] == replica_lease(who)


def withdraws(passing: Passing, who: str) -> bool:
    """The same lease: it is on its way out."""
    return passing.resource == "leases" and (passing.method, passing.name) == ("DELETE", replica_lease(who))


def _spec(passing: Passing) -> Object:
    spec: Object = passing.document.get("spec", {}) if passing.resource == "leases" and passing.is_write else {}
    return spec


class Stage:
    """A shop in which runs wait at their second call, and operators die at writes of leases."""

    def __init__(self, proxied_shop: ProxiedShop) -> None:
        self.shop = proxied_shop.shop
        self._proxied_shop = proxied_shop
        self._operators: dict[str, Operator] = {}
        self._runs: list[str] = []

    def start(self, who: str, **settings: str) -> Operator:
        """Start this replica, perhaps again."""
        if who in self._operators:
            self._operators[who].start()
        else:
            self._operators[who] = self._proxied_shop.hire(who, **(settings or SHORT_LEASE))
        return self._operators[who]

    def start_acting(self, who: str) -> Operator:
        """Start it, and a run whose second call is in flight then."""
        operator = self.start(who)
        eventually(lambda: held_by(operator), within=DURATION + SLACK, what=f"{who} acting")
        self.start_runs(1)
        return operator

    def start_runs(self, count: int) -> None:
        """Start so many, and wait until their second call is at its service."""
        self.shop.behave("Payments.Charge", Mode.HOLD)
        more = [self.shop.start("order", f"run-{len(self._runs) + number}") for number in range(count)]
        self._runs.extend(more)
        for run in more:
            self.shop.until_called(run, "b")

    def leave(self, operator: Operator) -> None:
        """Ask it to end; what is in flight is answered."""
        operator.ask_to_end()
        self.shop.works_again("Payments.Charge")

    def hold(self, write: Write, who: str, *, answer: bool) -> Hold:
        """Hold this replica at such a write from now on."""
        hold = Hold(answer=answer)
        self._proxied_shop.api.rules = [Rule(lambda passing: write(passing, who), hold)]
        return hold

    def die(self, operator: Operator, hold: Hold) -> None:
        """Kill it when it is held."""
        eventually(lambda: hold.holds, within=WITHIN, what=f"an operator held\n{operator.tail()}")
        operator.kill()
        self._proxied_shop.api.rules = []

    def end_well(self) -> None:
        """The runs end, and everything was done once."""
        self.shop.works_again("Payments.Charge")
        assert {self.shop.until_ended(run)["phase"] for run in self._runs} == {"Success"}
        calls = [call for run in self._runs for call in self.shop.calls(run)]
        assert Counter(call.did for call in calls)[Did.APPLIED] == 3 * len(self._runs)


@pytest.fixture
def stage(proxied_shop: ProxiedShop, sagas: Sagas) -> Stage:
    """Nobody yet, in a shop with a saga of three steps."""
    proxied_shop.shop.create(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    return Stage(proxied_shop)


@pytest.mark.fault(
    "the only operator dies just before or just after it takes, takes back, renews or gives back its lease, ten times",
    "Started again it gets its lease, and goes on; the runs end well, each service does its work once",
)
def test_killed_at_every_write_of_its_lease(stage: Stage) -> None:
    """One life after the other: each finds the lease as the one before has left it."""
    lives = (
        (takes, False),  # there is no lease
        (keeps, False),  # it is its own, from before
        (keeps, True),
        (gives_back, True),
        (takes, False),  # it is nobody's
    )
    for write, acts in lives:
        for answer in (False, True):
            if acts:
                operator = stage.start_acting("one")
                hold = stage.hold(write, "one", answer=answer)
            else:
                hold = stage.hold(write, "one", answer=answer)
                operator = stage.start("one")
            if write is gives_back:
                stage.leave(operator)
            stage.die(operator, hold)

    stage.start("one")
    stage.end_well()


@pytest.mark.fault(
    "one of two replicas dies just before or just after it renews or gives back the lease",
    "The other acts within the lease's duration; the runs end well, each service does its work once",
)
@pytest.mark.parametrize(
    ("write", "answer"),
    [
        pytest.param(keeps, True, id="after it renews"),
        pytest.param(gives_back, False, id="before it gives back"),
        pytest.param(keeps, False, id="before it renews", marks=pytest.mark.full),
        pytest.param(gives_back, True, id="after it gave back", marks=pytest.mark.full),
    ],
)
def test_a_warm_replica_goes_on(stage: Stage, write: Write, answer: bool) -> None:
    first = stage.start_acting("first")
    second = stage.start("second")

    hold = stage.hold(write, "first", answer=answer)
    if write is gives_back:
        stage.leave(first)
    stage.die(first, hold)

    eventually(lambda: held_by(second), within=DURATION + SLACK, what="the second acting")
    stage.end_well()


@pytest.mark.full
@pytest.mark.fault(
    "one of two replicas is killed, and the other dies just before or just after it takes the lease over",
    "The first, started again, takes its own lease back, or the other's when that is over; the runs end well",
)
@pytest.mark.parametrize("answer", [False, True], ids=["before", "after"])
def test_killed_as_it_takes_over(stage: Stage, answer: bool) -> None:
    first = stage.start_acting("first")
    second = stage.start("second")

    hold = stage.hold(takes, "second", answer=answer)
    first.kill()
    stage.die(second, hold)

    first.start()
    eventually(lambda: held_by(first), within=DURATION + SLACK, what="the first acting")
    stage.end_well()


@pytest.mark.full
@pytest.mark.fault(
    "one of two replicas dies just before or after it makes itself known, takes or gives back a shard, or withdraws",
    "The other has all shards within the lease's duration, and both share them when it is back; the runs end well",
)
@pytest.mark.parametrize("answer", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("write", "who"),
    [(makes_itself_known, "second"), (takes_a_shard, "second"), (gives_back, "first"), (withdraws, "first")],
    ids=["makes itself known", "takes a shard", "gives a shard back", "withdraws"],
)
def test_killed_while_shards_are_shared(stage: Stage, write: Write, who: str, answer: bool) -> None:
    replicas = Replicas(stage.shop)
    settings = {"FLOW_SHARDS": str(replicas.shards), "FLOW_LEASE_DURATION": f"{replicas.duration:g}s"}
    both = {"first": stage.start("first", **settings)}
    replicas.alive = dict(both)
    replicas.until_shared()
    stage.start_runs(8)
    if write is withdraws:
        both["second"] = stage.start("second", **settings)

    hold = stage.hold(write, who, answer=answer)
    if write is withdraws:
        stage.leave(both["first"])
    else:
        both["second"] = stage.start("second", **settings)
        stage.shop.works_again("Payments.Charge")
    stage.die(both[who], hold)

    replicas.alive = {name: operator for name, operator in both.items() if name != who}
    replicas.until_shared()
    both[who].start()
    replicas.alive = both
    replicas.until_shared()
    stage.end_well()
