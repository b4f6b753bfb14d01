"""A real Prometheus scrapes the operator: every panel shows something."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.order.services import Behaviour, Mode
from helm.monitoring.dashboards import fleet, workflow
from tests.controlplane import eventually
from tests.controlplane.process import Tether
from tests.e2e.prometheus import Prometheus
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

VARIABLES = {"$__rate_interval": "30s", "$workflow": "order", "$namespace": ".*"}
ENDED = 'sum(flow_run_duration_seconds_count{phase="Success"})'


@pytest.fixture
def prometheus(tmp_path: Path, tether: Tether) -> Iterator[Prometheus]:
    """Prometheus, which scrapes nobody yet."""
    if shutil.which("prometheus") is None:
        pytest.skip("needs prometheus")
    directory = tmp_path / "prometheus"
    directory.mkdir()
    started = Prometheus(directory, tether)
    started.start()
    yield started
    started.stop()


def test_every_panel_shows_something_while_orders_are_placed(shop: Shop, prometheus: Prometheus) -> None:
    prometheus.scrape(shop.operator)
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
                eventually(lambda query=query: prometheus.values(query), within=10, what=f"{panel['title']}: {query}")

    trace = refused["trace"]["traceparent"].split("-")[1]
    assert trace in prometheus.traces('flow_attempts_total{verdict="Failure"}')
    assert prometheus.firing() == set()
