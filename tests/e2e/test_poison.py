"""Objects that no schema would let through, written by an administrator: the operator lives, and the others progress.

The control plane of this module has the CRDs without their schemas: whatever is written is stored.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from examples.order.services import OrderServices
from tests.controlplane import ControlPlane
from tests.controlplane.controlplane import CRDS
from tests.controlplane.process import Tether
from tests.e2e.audit import checked
from tests.e2e.kube import Kube, Object
from tests.e2e.role import install
from tests.e2e.sagas import API_VERSION, Sagas, run_of, workflow
from tests.e2e.shop import Shop

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("own_control_planes")]

DEPTH = 3000


def deep() -> Any:
    """A list in a list in a list…"""
    value: Any = "end"
    for _ in range(DEPTH):
        value = [value]
    return value


ANYTHING: tuple[Any, ...] = (
    None,
    True,
    7,
    -1.5e300,
    "text",
    "\u0000\u202e\ud83d\ude00",
    [],
    [[]],
    {},
    {"": ""},
    deep(),
)


@pytest.fixture(autouse=True)
def recursion_limit() -> Iterator[None]:
    """Python's own JSON does not go that deep."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


@pytest.fixture(scope="module")
def lax_control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane that takes anything for a Step, a Workflow or a run."""
    crds = tmp_path_factory.mktemp("crds")
    for path in CRDS.glob("*.yaml"):
        crd = yaml.safe_load(path.read_text())
        for version in crd["spec"]["versions"]:
            version.pop("selectableFields", None)
            version["schema"] = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        (crds / path.name).write_text(yaml.safe_dump(crd))
    with ControlPlane(crds=crds) as control_plane:
        yield control_plane


@pytest.fixture
def lax_shop(
    lax_control_plane: ControlPlane, services: OrderServices, tether: Tether, tmp_path: Path
) -> Iterator[Shop]:
    """A shop there, whose operator is at work."""
    with Kube(lax_control_plane.kubeconfig) as kube:
        namespace = lax_control_plane.create_namespace("poison")
        account = install(kube, namespace)
        with checked(Shop(lax_control_plane, kube, namespace, services, account, tmp_path, tether.group)) as shop:
            shop.hire()
            yield shop


def named(kind: str, name: str, **rest: Any) -> Object:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, **rest}


def others_progress(shop: Shop, sagas: Sagas) -> None:
    """Before and after a restart, definitions are judged and runs end."""
    shop.define(sagas.chain("sound", "Stock.Reserve", "Courier.Ship"))
    shop.start("sound", "before")
    assert shop.until_ended("before")["phase"] == "Success"
    shop.operator.crash()
    shop.start("sound", "after")
    assert shop.until_ended("after")["phase"] == "Success"


@pytest.mark.fault(
    "Steps and Workflows with anything for a spec: no JSON object, 3,000 levels deep, NUL",
    "Findings; the operator lives, other runs progress, also after a restart",
)
def test_definitions_of_anything(lax_shop: Shop, sagas: Sagas) -> None:
    for number, poison in enumerate(ANYTHING):
        for kind in ("Step", "Workflow"):
            lax_shop.create(named(kind, f"{kind.lower()}-{number}", spec=poison))
        lax_shop.create(workflow(f"steps-{number}", poison))
        lax_shop.create(workflow(f"field-{number}", sagas.step("a", "Stock.Reserve", retry=poison, input=poison)))
        lax_shop.create(named("Workflow", f"status-{number}", spec=workflow("x", poison)["spec"], status=poison))
    lax_shop.create(named("Workflow", "nothing"))

    others_progress(lax_shop, sagas)

    told = lax_shop.until_ready("workflows", "steps-4", "False")
    assert told["findings"]


@pytest.mark.fault("runs with anything for a spec", "The operator lives, other runs progress, also after a restart")
def test_runs_of_anything(lax_shop: Shop, sagas: Sagas) -> None:
    for number, poison in enumerate(ANYTHING):
        lax_shop.create(named("WorkflowExecution", f"spec-{number}", spec=poison))
        lax_shop.create(run_of("sound", f"input-{number}", input=poison))
        lax_shop.create(run_of("sound", f"suspend-{number}", suspend=poison))
        lax_shop.create(named("WorkflowExecution", f"ref-{number}", spec={"workflowRef": poison}))
    lax_shop.create(named("WorkflowExecution", "nothing"))

    others_progress(lax_shop, sagas)


@pytest.mark.fault(
    "runs whose status was overwritten with anything",
    "They are left alone; the operator lives, other runs progress, also after a restart",
)
def test_statuses_of_anything(lax_shop: Shop, sagas: Sagas) -> None:
    for field in ("phase", "steps", "conditions", "completionTime", "lastCommand", "compensation", "revision"):
        for number, poison in enumerate(ANYTHING if field == "steps" else ANYTHING[:-1]):  # a deep one takes a second
            name = f"{field.lower()}-{number}"
            lax_shop.create(run_of("sound", name, suspend=True))
            path = f"/apis/{API_VERSION}/namespaces/{lax_shop.namespace}/workflowexecutions/{name}/status"
            lax_shop.kube.request("PATCH", path, {"status": {"observedGeneration": 1, field: poison}})

    others_progress(lax_shop, sagas)


@pytest.mark.fault("commands with anything for a verb and arguments", "Rejected")
def test_commands_of_anything(lax_shop: Shop, sagas: Sagas) -> None:
    lax_shop.define(sagas.chain("order", "Stock.Reserve"))
    texts = ("", "\u0000", "\U0001f600" * 1000, "[" * 9000, json.dumps({"step": "x" * 50_000, "reason": "y"}))
    for number, text in enumerate(texts):
        lax_shop.start("order", f"run-{number}", suspend=True)
        lax_shop.until_phase(f"run-{number}", "Suspend")
        for verb in ("skip", text):
            answer = lax_shop.obey(f"run-{number}", verb, args=text, id=text + verb)
            assert answer["result"] == "Rejected"

    others_progress(lax_shop, sagas)
