"""The manifests of the order saga: what they call exists, and they can be moved to other ports."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from examples.order.manifests import DEFINITIONS, DIRECTORY, definitions, render
from examples.order.services import SERVICES

from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.step import StepSpec
from flow_operator.api.workflow import WorkflowSpec

DEFAULT = {name: service.port for name, service in SERVICES.items()}
ORDERS = sorted((DIRECTORY / "orders").glob("*.yaml"))


def endpoints(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [endpoint for item in value for endpoint in endpoints(item)]
    if not isinstance(value, dict):
        return []
    return ([value["endpoint"]] if "endpoint" in value else []) + endpoints(list(value.values()))


def test_every_endpoint_names_a_service_its_port_and_one_of_its_methods() -> None:
    found = endpoints(definitions(DEFAULT))
    assert found == endpoints([list(yaml.safe_load_all((DIRECTORY / name).read_text())) for name in DEFINITIONS])
    assert {endpoint["service"] for endpoint in found} == set(SERVICES)
    assert {endpoint["method"] for endpoint in found} == {m for s in SERVICES.values() for m in s.methods}


def test_the_models_accept_them() -> None:
    *steps, workflow = definitions(DEFAULT)
    for step in steps:
        StepSpec.model_validate(step["spec"])
    assert len(WorkflowSpec.model_validate(workflow["spec"]).steps) >= 6


@pytest.mark.parametrize("path", ORDERS, ids=lambda path: path.stem)
def test_an_order_runs_the_workflow(path: Path) -> None:
    order = yaml.safe_load(path.read_text())
    assert order["metadata"]["name"] == f"order-{path.stem}"
    assert ExecutionSpec.model_validate(order["spec"]).workflow_ref.name == "order"


def test_they_can_be_written_for_other_ports(tmp_path: Path) -> None:
    render(tmp_path, {name: 9000 + number for number, name in enumerate(SERVICES)})
    text = "".join((tmp_path / name).read_text() for name in DEFINITIONS)
    assert "port: 9002" in text
    assert "port: 80" not in text
