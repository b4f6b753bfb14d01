"""The soak as a whole: what is opened, who works in it, and what is said about it at the end."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

from examples.order.services import OrderServices
from tests.controlplane import ControlPlane
from tests.controlplane.process import Tether
from tests.e2e.audit import blemishes
from tests.e2e.kube import Kube
from tests.e2e.role import install
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop
from tests.soak.customers import Customers
from tests.soak.gauges import Gauges
from tests.soak.saboteurs import OfServers, OfServices, Saboteur, at_work
from tests.soak.stories import workflows

LEASE_SECONDS = 3
SHARDS = 4
"""Both operators act as long as both are there; the one that is left takes over what was the other's."""
SAMPLE_SECONDS = 0.5
SAY_SECONDS = 5.0
FAULT_SECONDS = 20
"""So often, at least, each saboteur has to break something."""
ENDS_WITHIN = 120.0
"""Seconds in which every run must have ended when all is repaired: its back-offs, and a person's patience."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How long and how hard."""

    seconds: float
    seed: int
    runs_per_second: float = 3.0
    pause: float = 4.0
    """Seconds of peace, at most, between two faults of one kind."""


@dataclass(frozen=True, slots=True)
class Report:
    """What happened, and what should not have."""

    summary: list[str]
    findings: list[str]


def soak(options: Options, plane: ControlPlane, directory: Path, say: Say) -> Report:
    """Let everybody work for so long, repair everything, and look at what has become of it."""
    with ExitStack() as opened:
        shop = _open(plane, directory, opened)
        settings = {"FLOW_LEASE_DURATION": f"{LEASE_SECONDS}s", "FLOW_SHARDS": str(SHARDS)}
        mortal, survivor = (shop.hire(name, **settings) for name in ("one", "two"))
        shop.bear_refusals()
        shop.define(*workflows(Sagas(shop.services.ports)))
        dice = [Random(f"{options.seed} {name}") for name in ("customers", "servers", "services")]
        kube = opened.enter_context(Kube(plane.kubeconfig))
        customers = Customers(shop, kube, dice[0], options.runs_per_second)
        servers = OfServers(dice[1], options.pause, plane, mortal, survivor, LEASE_SECONDS)
        services = OfServices(dice[2], options.pause / 2, shop.services)
        gauges = Gauges(survivor.pid)

        with at_work(customers.work, servers.work, services.work) as check:
            for elapsed in _every(SAMPLE_SECONDS, options.seconds):
                check()
                gauges.sample()
                if elapsed % SAY_SECONDS < SAMPLE_SECONDS:
                    say(f"{elapsed:4.0f} s  {_so_far(customers, shop, servers, services)}; survivor {gauges.now}")

        say("repaired; waiting until every run has ended")
        shop.services.work()
        findings = [f"{run} has not ended" for run in customers.finish(ENDS_WITHIN)]
        survivor.check()
        say("checking the history of every run")
        findings += [*_idle_hands(options, servers, services), *gauges.findings(), *blemishes(shop)]
        return Report(list(_summary(customers, shop, servers, services, gauges)), findings)


def _open(plane: ControlPlane, directory: Path, opened: ExitStack) -> Shop:
    """A shop; everything in it ends with the stack."""
    namespace = plane.create_namespace("soak")
    tether = Tether(directory / "tether")
    opened.callback(tether.release)
    services = opened.enter_context(OrderServices(directory))
    kube = opened.enter_context(Kube(plane.kubeconfig))
    shop = Shop(plane, kube, namespace, services, install(kube, namespace), directory, tether.group)
    opened.callback(shop.close)
    return shop


def _every(pause: float, seconds: float) -> Iterator[float]:
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        yield elapsed
        time.sleep(pause)


def _idle_hands(options: Options, *saboteurs: Saboteur) -> Iterator[str]:
    """Nothing is proved where nothing was broken."""
    for saboteur in saboteurs:
        if saboteur.committed.total() < options.seconds // FAULT_SECONDS:
            yield f"only {saboteur.committed.total()} faults {type(saboteur).__name__}"


def _calls(shop: Shop) -> int:
    return sum(service.journal.read_bytes().count(b"\n") for service in shop.services.values())


def _so_far(customers: Customers, shop: Shop, *saboteurs: Saboteur) -> str:
    faults = sum(saboteur.committed.total() for saboteur in saboteurs)
    return (
        f"runs {customers.started.total()} started, {customers.ended.total()} ended; {_calls(shop)} calls; "
        f"{faults} faults"
    )


def _summary(customers: Customers, shop: Shop, servers: Saboteur, services: Saboteur, gauges: Gauges) -> Iterator[str]:
    def told(counted: Counter[str]) -> str:
        return ", ".join(f"{number} {name}" for name, number in sorted(counted.items()))

    handovers = sum(lease["spec"].get("leaseTransitions", 0) for lease in shop.kube.list("leases", shop.namespace))
    yield f"runs started: {told(customers.started)}"
    yield f"runs ended:   {told(customers.ended)}"
    yield f"people:       {told(customers.commands)}"
    yield f"calls:        {_calls(shop)}"
    yield f"faults:       {told(servers.committed)}"
    yield f"              {told(services.committed)}"
    yield f"leases:       passed on {handovers} times"
    yield f"survivor:     {gauges}"
