"""A real Prometheus that scrapes one operator and evaluates the chart's alerts, sixty times as fast."""

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import yaml
from helm.monitoring.alerts import rules
from tests.controlplane import eventually
from tests.controlplane.ports import quiet_port
from tests.controlplane.process import Server, Tether

FASTER = 60
CONFIG = {
    "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
    "rule_files": ["rules.yaml"],
}
TARGET = {"namespace": "flow-system", "pod": "flow-operator-0"}
"""Labels of each series, such as the Prometheus operator gives them."""


def is_installed() -> bool:
    """Whether there is one on this machine."""
    return shutil.which("prometheus") is not None


class Prometheus:
    """Runs in a directory of its own until the tether ends it."""

    def __init__(self, directory: Path, tether: Tether, *, honor_labels: bool = True) -> None:
        """With `honor_labels`, as in the chart's monitors, labels of the operator win over those of the target."""
        self._directory = directory
        self._job = {
            "job_name": "flow-operator",
            "honor_labels": honor_labels,
            "file_sd_configs": [{"files": ["targets.json"]}],
        }
        port = quiet_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [
            str(shutil.which("prometheus")),
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=exemplar-storage",
        ]
        self._server = Server(command, directory, tether)

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        (self._directory / "prometheus.yml").write_text(yaml.safe_dump(CONFIG | {"scrape_configs": [self._job]}))
        (self._directory / "rules.yaml").write_text(rules(FASTER))
        self._server.start()
        eventually(self._ready, within=30, what=f"Prometheus ready; its log is {self._server.log}")

    def stop(self) -> None:
        """End it."""
        self._server.kill()

    def scrape(self, address: str) -> None:
        """Scrape the operator at this host and port, and no other, and wait until that has succeeded."""
        targets = self._directory / "targets.json"
        fresh = targets.with_suffix(".new")
        fresh.write_text(json.dumps([{"targets": [address], "labels": TARGET}]))
        fresh.rename(targets)
        up = f'up{{instance="{address}"}} == 1'
        eventually(lambda: self.values(up), within=30, what="the operator scraped")

    def values(self, query: str) -> list[float]:
        """What a query finds now, numbers only."""
        return [value for _, value in self._samples(query)]

    def by(self, label: str, query: str) -> dict[str, float]:
        """What a query finds now, by one label."""
        return {labels[label]: value for labels, value in self._samples(query)}

    def traces(self, query: str) -> set[str]:
        """The traces that the exemplars of these series tell."""
        found = self._ask("query_exemplars", query=query, start="0", end="4000000000")
        return {each["labels"]["trace_id"] for series in found for each in series["exemplars"]}

    def until_firing(self, alert: str) -> None:
        """Wait until an alert fires; a scrape that fails begins the time anew that it must have been true for."""
        eventually(lambda: self._fires(alert), within=150, what=f"{alert} firing")

    def until_ended(self, alert: str) -> None:
        """Wait until an alert does not fire any more."""
        eventually(lambda: not self._fires(alert), within=60, what=f"the end of {alert}")

    def firing(self) -> set[str]:
        """The alerts that fire now."""
        alerts = self._ask("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def _samples(self, query: str) -> Iterator[tuple[dict[str, str], float]]:
        for sample in self._ask("query", query=query)["result"]:
            if not math.isnan(value := float(sample["value"][1])):
                yield sample["metric"], value

    def _fires(self, alert: str) -> bool:
        return alert in self.firing()

    def _ask(self, path: str, **arguments: str) -> Any:
        url = f"{self.url}/api/v1/{path}?{urlencode(arguments)}"
        with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
            return json.load(answer)["data"]

    def _ready(self) -> bool:
        try:
            self._ask("status/buildinfo")
        except OSError:
            return False
        return True
