"""A real Prometheus scrapes the operator: every panel shows something, and every alert fires once, and ends."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from examples.order.services import Behaviour, Mode
from helm.monitoring.dashboards import fleet, workflow
from tests.controlplane import eventually
from tests.controlplane.process import Tether
from tests.e2e.replicas import LONG_LEASE
from tests.e2e.role import install
from tests.e2e.sagas import Sagas
from tests.e2e.sagas import workflow as define
from tests.e2e.shop import Shop
from tests.monitoring.prometheus import Prometheus, is_installed

pytestmark = pytest.mark.e2e

VARIABLES = {"$__rate_interval": "30s", "$workflow": "order", "$namespace": ".*"}
ENDED = 'sum(flow_run_duration_seconds_count{phase="Success"})'
ROOM = 6
PATIENT = {"limit": -1, "backoff": {"duration": "200ms", "factor": 1}}


@pytest.fixture
def prometheus(tmp_path: Path, tether: Tether) -> Iterator[Prometheus]:
    """Prometheus, which scrapes nobody yet."""
    if not is_installed():
        pytest.skip("needs prometheus")
    directory = tmp_path / "prometheus"
    directory.mkdir()
    started = Prometheus(directory, tether)
    started.start()
    yield started
    started.stop()


def test_every_panel_shows_something_while_orders_are_placed(shop: Shop, prometheus: Prometheus) -> None:
    prometheus.scrape(shop.operator.address)
    shop.define_order()
    for declined, fine in ((1002, 1001), (1003, 1004)):  # twice, since a rate needs a beginning and an end
        shop.behave("Payments.Charge", Mode.DECLINE)
        refused = shop.until_ended(shop.place_order(declined))
        shop.works_again("Payments.Charge")
        shop.services.behave("Mail.Send", Behaviour(Mode.UNAVAILABLE, times=1))
        shop.until_ended(shop.place_order(fine))
        eventually(lambda: prometheus.values(ENDED), within=10, what="the orders scraped")

    for model in (fleet(), workflow()):
        for panel in model["panels"]:
            for target in panel["targets"]:
                query = target["expr"]
                for name, value in VARIABLES.items():
                    query = query.replace(name, value)
                eventually(partial(prometheus.values, query), within=10, what=f"{panel['title']}: {query}")

    trace = refused["trace"]["traceparent"].split("-")[1]
    assert trace in prometheus.traces('flow_attempts_total{verdict="Failure"}')
    eventually(lambda: not prometheus.firing(), within=30, what="no alert")


class Watch:
    """Waits for alerts, and remembers which have fired."""

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus

    def fires(self, *alerts: str) -> None:
        """Each fires."""
        for alert in alerts:
            self._prometheus.until_firing(alert)

    def ends(self, *alerts: str) -> None:
        """None of them fires any more."""
        for alert in alerts:
            self._prometheus.until_ended(alert)


@pytest.fixture
def alerts(prometheus: Prometheus) -> Watch:
    """The alerts of this Prometheus."""
    return Watch(prometheus)


def test_alerts_about_runs(bare_shop: Shop, sagas: Sagas, prometheus: Prometheus, alerts: Watch) -> None:
    """Nobody acts; then one run has no workflow, one is suspended, one cannot be undone, one finds its service down."""
    shop = bare_shop
    alerts.fires("FlowNotLeading")
    prometheus.scrape(shop.hire().address)
    alerts.ends("FlowNotLeading")
    shop.define(
        sagas.chain("order", "Stock.Reserve", "Courier.Ship"),
        define("letter", sagas.step("a", "Post.Send", retry=PATIENT)),
    )
    shop.start("nothing", "lost")
    shop.start("letter", "suspended", suspend=True)
    shop.behave("Courier.Ship", Mode.DECLINE)
    shop.behave("Stock.Release", Mode.UNAVAILABLE)
    shop.behave("Post.Send", Mode.UNAVAILABLE)
    shop.start("order", "parked")
    shop.start("letter", "unlucky")
    alerts.fires("FlowRunParked", "FlowServiceFailing")

    shop.works_again("Post.Send", "Courier.Ship")
    shop.obey("parked", "abort", {"compensate": False})
    alerts.fires("FlowCompensationFailed")
    alerts.ends("FlowRunParked", "FlowServiceFailing", "FlowCompensationFailed")

    alerts.fires("FlowRunSuspended", "FlowRunNotStarted")
    shop.kube.patch("workflowexecutions", shop.namespace, "suspended", {"spec": {"suspend": False}})
    shop.define(define("nothing", sagas.step("a", "Post.Send")))
    shop.until_ended("lost")
    alerts.ends("FlowRunSuspended", "FlowRunNotStarted")
    eventually(lambda: not prometheus.firing(), within=30, what="no alert")


def test_alerts_about_the_operator(bare_shop: Shop, sagas: Sagas, prometheus: Prometheus, alerts: Watch) -> None:
    """All places are taken by calls that hang, and then their answers cannot be stored."""
    shop = bare_shop
    prometheus.scrape(shop.hire(FLOW_RUN_CONCURRENCY=str(ROOM), **LONG_LEASE).address)
    shop.bear_refusals()
    shop.define(define("parcel", sagas.step("a", "Courier.Ship", timeout={"request": "120s"})))
    shop.behave("Courier.Ship", Mode.HOLD)
    parcels = [shop.start("parcel", f"parcel-{number}") for number in range(ROOM + 1)]
    alerts.fires("FlowWorkqueueStuck")

    bindings = shop.kube.list("rolebindings", shop.namespace)
    for each in bindings:
        shop.kubectl("delete", "rolebinding", each["metadata"]["name"])
    shop.works_again("Courier.Ship")
    alerts.fires("FlowStatusWritesFailing")
    install(shop.kube, shop.namespace)
    for parcel in parcels:
        shop.until_ended(parcel)
    alerts.ends("FlowStatusWritesFailing", "FlowWorkqueueStuck")


def test_an_operator_with_too_little_cpu(shop: Shop, prometheus: Prometheus, alerts: Watch) -> None:
    prometheus.scrape(shop.operator.address)
    eventually(lambda: throttled(shop) or "FlowEventLoopSlow" in prometheus.firing(), within=100, what="a slow loop")
    alerts.ends("FlowEventLoopSlow")


def throttled(shop: Shop) -> bool:
    """The operator gets no CPU for longer than its loop means to sleep, and then enough for a scrape."""
    shop.operator.pause()
    time.sleep(1.2)
    shop.operator.go_on()
    time.sleep(0.3)
    return False
