"""A real Prometheus that scrapes one endpoint of a monitor as the Prometheus operator would have it do."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import yaml
from prometheus_client import CollectorRegistry, start_http_server
from tests.controlplane.ports import ReservedPort
from tests.controlplane.process import Server, Tether
from tests.helm.chart import NAMESPACE, Object

Ask = Callable[[str], list[Object]]
"""A query in, the series that it finds out; none as long as Prometheus is not ready."""


@contextmanager
def scraped(endpoint: Object, registry: CollectorRegistry, directory: Path) -> Iterator[Ask]:
    """Metrics of a pod in the release's namespace, as a Prometheus has them that scrapes this endpoint."""
    server, thread = start_http_server(0, "127.0.0.1", registry)
    port = ReservedPort()
    (directory / "prometheus.yaml").write_text(yaml.safe_dump(_configuration(endpoint, server.server_port)))
    command = [
        str(shutil.which("prometheus")),
        "--config.file=prometheus.yaml",
        "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    tether = Tether(directory / "data")
    prometheus = Server(command, directory, tether)
    port.release()
    prometheus.start()
    try:
        yield lambda query: _series(f"http://127.0.0.1:{port}/api/v1/query?{urlencode({'query': query})}")
    finally:
        tether.release()
        prometheus.kill()
        server.shutdown()
        server.server_close()
        thread.join()


def _configuration(endpoint: Object, port: int) -> dict[str, Any]:
    """As much as matters here of what the Prometheus operator makes of an endpoint."""
    job = {
        "job_name": "flow-operator",
        "scrape_interval": "1s",
        "metrics_path": endpoint["path"],
        "honor_labels": endpoint.get("honorLabels", False),
        "static_configs": [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"namespace": NAMESPACE, "pod": "flow-operator-0"}}
        ],
    }
    return {"scrape_configs": [job]}


def _series(url: str) -> list[Object]:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
            return list(json.load(answer)["data"]["result"])
    except URLError:
        return []
