"""What the Prometheus operator is given: taken by its own CRDs on the real API server, and leading to the pods."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from tests.controlplane import ControlPlane, existing_kubeconfig
from tests.controlplane.cluster import KubectlError
from tests.controlplane.process import Tether
from tests.helm.chart import NAMESPACE, RELEASE, Object, Values, rendered
from tests.helm.prometheus_operator import crd
from tests.helm.release import Helm
from tests.monitoring.prometheus import Prometheus, is_installed

pytestmark = pytest.mark.e2e

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"
PAGE = "https://wiki.example/flow/runbook.md"
MONITOR: Values = {
    "enabled": True,
    "labels": {"prometheus": "main"},
    "interval": "1m30s",
    "scrapeTimeout": "10s",
    "metricRelabelings": [{"action": "drop", "sourceLabels": ["__name__"], "regex": "python_.*"}],
}
VALUES: dict[str, Values] = {
    "ServiceMonitor": {"serviceMonitor": MONITOR},
    "PodMonitor": {"podMonitor": MONITOR},
    "PrometheusRule": {"prometheusRule": {"enabled": True, "labels": {"role": "alerts"}, "runbookUrl": PAGE}},
}
MISSPELT: dict[str, Callable[[Object], Object]] = {
    "ServiceMonitor": lambda spec: spec["endpoints"][0],
    "PodMonitor": lambda spec: spec["podMetricsEndpoints"][0],
    "PrometheusRule": lambda spec: spec["groups"][0]["rules"][0],
}
"""Where in the spec of each kind a field is misspelt."""


def one(kind: str, values: Values | None = None) -> Object:
    """The only object of a kind."""
    (found,) = [each for each in rendered(VALUES[kind] if values is None else values) if each["kind"] == kind]
    return found


@pytest.fixture(scope="module")
def monitored() -> Iterator[ControlPlane]:
    """A control plane that has the Prometheus operator's kinds and the release's namespace."""
    if existing_kubeconfig():
        pytest.skip("needs a control plane of the project's own, not the cluster of FLOW_TEST_KUBECONFIG")
    with ControlPlane(crds=None) as control_plane:
        files = [flag for kind in VALUES for flag in ("-f", crd(f"{kind.lower()}s"))]
        control_plane.kubectl("apply", "--server-side", *files)
        control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", *files)
        control_plane.kubectl("create", "namespace", NAMESPACE)
        yield control_plane


def apply(cluster: ControlPlane, document: Mapping[str, Any]) -> None:
    """Apply an object; a field that its CRD does not know is an error."""
    cluster.kubectl(
        "apply", "--server-side", "--validate=strict", "--dry-run=server", "-f", "-", stdin=json.dumps(document)
    )


@pytest.mark.parametrize("kind", VALUES)
def test_every_field_is_one_of_the_crd(monitored: ControlPlane, kind: str) -> None:
    apply(monitored, one(kind))


@pytest.mark.parametrize("kind", VALUES)
def test_a_misspelt_field_is_refused(monitored: ControlPlane, kind: str) -> None:
    document = json.loads(json.dumps(one(kind)))
    MISSPELT[kind](document["spec"])["honourLabels"] = True

    with pytest.raises(KubectlError, match="honourLabels"):
        apply(monitored, document)


def test_helm_installs_them(monitored: ControlPlane, tmp_path: Path) -> None:
    values = {**VALUES["ServiceMonitor"], **VALUES["PrometheusRule"]}

    Helm(monitored, tmp_path).install(values=values)

    for kind in ("ServiceMonitor", "PrometheusRule"):
        got = json.loads(monitored.kubectl("get", kind, RELEASE, "--namespace", NAMESPACE, "-o", "json"))
        assert got["spec"] == one(kind, values)["spec"]


def test_a_service_monitor_leads_to_the_port_of_the_pods() -> None:
    monitor = one("ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]

    (service,) = selected("Service", monitor, VALUES["ServiceMonitor"])
    (port,) = [each for each in service["spec"]["ports"] if each["name"] == endpoint["port"]]
    assert service["spec"]["selector"].items() <= pod()["metadata"]["labels"].items()
    assert port["targetPort"] in ports_of(pod())


def test_a_pod_monitor_leads_to_the_port_of_the_pods() -> None:
    monitor = one("PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]

    assert monitor["spec"]["selector"]["matchLabels"].items() <= pod()["metadata"]["labels"].items()
    assert endpoint["port"] in ports_of(pod())


@pytest.mark.skipif(not is_installed(), reason="needs prometheus")
def test_a_metric_keeps_the_namespace_of_the_run(tmp_path: Path) -> None:
    (endpoint,) = one("ServiceMonitor")["spec"]["endpoints"]
    assert [endpoint] == one("PodMonitor")["spec"]["podMetricsEndpoints"]
    registry = CollectorRegistry()
    Gauge("flow_runs_parked", "Of one workflow.", ["namespace"], registry=registry).labels("shop").set(1)
    tether = Tether(tmp_path / "data")
    prometheus = Prometheus(tmp_path, tether, honor_labels=endpoint["honorLabels"])
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        prometheus.start()
        prometheus.scrape(f"127.0.0.1:{server.server_port}")
        assert prometheus.by("namespace", "flow_runs_parked") == {"shop": 1}
    finally:
        tether.release()
        prometheus.stop()
        server.shutdown()
        server.server_close()
        thread.join()


def selected(kind: str, monitor: Object, values: Values) -> list[Object]:
    """The objects that a monitor selects, which are in its own namespace as long as it names no other."""
    assert "namespaceSelector" not in monitor["spec"]
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    namespace = monitor["metadata"]["namespace"]
    objects = [each for each in rendered(values) if each["kind"] == kind]
    return [
        each
        for each in objects
        if each["metadata"]["namespace"] == namespace and wanted <= each["metadata"]["labels"].items()
    ]


def pod() -> Object:
    """A pod of the release, before it is scheduled."""
    (deployment,) = [each for each in rendered() if each["kind"] == "Deployment"]
    return dict(deployment["spec"]["template"])


def ports_of(template: Object) -> set[str]:
    """The names of the ports of its containers."""
    return {port["name"] for container in template["spec"]["containers"] for port in container["ports"]}


def test_each_alert_leads_to_its_section_of_the_runbook() -> None:
    anchors = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", RUNBOOK.read_text(), re.MULTILINE)}
    urls = [rule["annotations"]["runbook_url"] for rule in alerts(VALUES["PrometheusRule"])]

    assert urls
    for url in urls:
        page, _, section = url.partition("#")
        assert page == PAGE
        assert section in anchors


def anchor(heading: str) -> str:
    """As GitHub, GitLab and most others make it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_no_alert_has_a_url_of_a_runbook_that_nobody_named() -> None:
    assert not any("runbook_url" in rule["annotations"] for rule in alerts({"prometheusRule": {"enabled": True}}))


def alerts(values: Values) -> list[Object]:
    """The alerts with these values."""
    (group,) = one("PrometheusRule", values)["spec"]["groups"]
    return list(group["rules"])
