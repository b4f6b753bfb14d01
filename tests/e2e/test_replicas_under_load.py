"""Replicas are killed, frozen and ended in turn while hundreds of runs are under way."""

import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle

import pytest
from examples.order.services import Did, Mode
from tests.controlplane import eventually
from tests.e2e.replicas import Replicas
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


class Load:
    """Runs that are started at an even pace."""

    def __init__(self, shop: Shop, runs: int, seconds: float) -> None:
        self._shop = shop
        self._runs = runs
        self._pace = seconds / runs
        self._next = time.monotonic()
        self.names: list[str] = []

    def go_on(self) -> None:
        """Start what is due by now."""
        while len(self.names) < self._runs and time.monotonic() >= self._next:
            self.names.append(self._shop.start("order", f"run-{len(self.names)}"))
            self._next += self._pace

    def until_started(self) -> None:
        """Start all that is left, at the same pace."""
        while len(self.names) < self._runs:
            self.go_on()
            time.sleep(max(0.0, self._next - time.monotonic()))


def strikes(replicas: Replicas, load: Load) -> Iterator[tuple[str, float]]:
    """Kill, freeze and end a replica, in turn; what was done, and how long it took until others had taken over."""
    for number, signal in enumerate(cycle(("SIGKILL", "SIGSTOP", "SIGTERM"))):
        identity, victim = next(iter(replicas.alive.items()))
        match signal:
            case "SIGKILL":
                victim.kill()
            case "SIGSTOP":
                victim.pause()
            case _:
                victim.ask_to_end()
        yield signal, replicas.takeover(identity, load.go_on)
        if signal == "SIGSTOP":
            victim.go_on()
            replicas.alive[identity] = victim
        else:
            replicas.hire(f"next-{number}")
        if signal == "SIGTERM":
            assert victim.wait(30) == 0

        def shared() -> bool:
            load.go_on()
            return replicas.are_shared()

        eventually(shared, within=60, what="the shards shared anew")


@pytest.mark.fault(
    "two or three replicas are killed, frozen and ended in turn, while hundreds of runs are under way",
    "Others take over within the lease's duration; every run ends well, and every service does its work once",
)
@pytest.mark.parametrize(
    ("number", "runs", "seconds"),
    [
        pytest.param(3, 80, 20, id="three-short"),
        pytest.param(2, 500, 120, id="two", marks=pytest.mark.full),
        pytest.param(3, 500, 120, id="three", marks=pytest.mark.full),
    ],
)
def test_replicas_that_fail_in_turn(
    bare_shop: Shop, sagas: Sagas, capsys: pytest.CaptureFixture[str], number: int, runs: int, seconds: float
) -> None:
    shop = bare_shop
    shop.create(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    shop.behave("Payments.Charge", Mode.LATE, delay=0.3)
    replicas = Replicas(shop, shards=6)
    replicas.hire(*(f"replica-{each}" for each in range(number)))

    until, load = time.monotonic() + seconds, Load(shop, runs, seconds)
    told: list[str] = []
    for signal, took in strikes(replicas, load):
        told.append(f"{signal} {took:.1f} s")
        if time.monotonic() >= until and len(told) >= 3:
            break
    load.until_started()

    phases = Counter(shop.until_ended(name)["phase"] for name in load.names)
    with capsys.disabled():
        print(
            f"\n{number} replicas, {runs} runs, leases of {replicas.duration:g} s; taken over after: {', '.join(told)}"
        )
    assert phases == {"Success": runs}
    calls = Counter(call.did for call in shop.services.entries() if call.execution.startswith(f"{shop.namespace}/"))
    assert calls[Did.APPLIED] == 3 * runs
    assert calls.keys() <= {Did.APPLIED, Did.REPLAYED}
