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
MEGABYTE = 1_000_000
WEIRD = ("\u00e4\u4e16\u202e", "", " a b ", "a\u0000b", "\U0001f600" * 50, "x" * 5000, "${steps.self}", "../..", "self")


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


def write_status(shop: Shop, document: Object, status: Any) -> None:
    """Overwrite the status of an object, as only an administrator may."""
    plural = f"{document['kind'].lower()}s"
    shop.kube.patch(plural, shop.namespace, document["metadata"]["name"], {"status": status}, "/status")


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
            document = run_of("sound", f"{field.lower()}-{number}", suspend=True)
            lax_shop.create(document)
            write_status(lax_shop, document, {"observedGeneration": 1, field: poison})

    others_progress(lax_shop, sagas)


@pytest.mark.fault(
    "Steps, Workflows and runs whose status is no status: a text, a number, a list, 3,000 levels deep",
    "Definitions are judged anew, runs are left alone; the operator lives, other runs progress, also after a restart",
)
def test_statuses_that_are_none(lax_shop: Shop, sagas: Sagas) -> None:
    for number, poison in enumerate(ANYTHING):
        step = named("Step", f"step-{number}", spec={"endpoint": sagas.endpoint("Stock.Reserve")})
        for document in (step, named("Workflow", f"workflow-{number}"), run_of("sound", f"run-{number}", suspend=True)):
            lax_shop.create(document)
            write_status(lax_shop, document, poison)

    others_progress(lax_shop, sagas)

    lax_shop.until_ready("steps", f"step-{ANYTHING.index('text')}")


@pytest.mark.fault(
    "Steps, Workflows and runs of a megabyte, with 5,000 steps, and with every step requiring every other",
    "Findings or a run that says why; the operator lives, other runs progress, also after a restart",
)
def test_huge_ones(lax_shop: Shop, sagas: Sagas) -> None:
    ids = [f"s{number}" for number in range(200)]
    crowd = [{"id": f"s{number}", "endpoint": {"url": "http://a/"}} for number in range(5000)]
    lax_shop.create(named("Step", "text", spec="x" * MEGABYTE))
    lax_shop.create(named("Step", "field", spec={"endpoint": {"url": "http://a/" + "x" * MEGABYTE}}))
    lax_shop.create(workflow("crowd", *crowd))
    lax_shop.create(workflow("knot", *(sagas.step(id, "Stock.Reserve", *ids) for id in ids)))
    lax_shop.create(workflow("expression", sagas.step("a", "Stock.Reserve", when="1 + " * (MEGABYTE // 4) + "1 == 1")))
    for name in ("crowd", "knot", "expression"):
        lax_shop.create(run_of(name, name))
    lax_shop.create(run_of("sound", "input", input={"body": "x" * MEGABYTE}))
    lax_shop.create(run_of("x" * MEGABYTE, "reference"))
    steps = run_of("sound", "steps", suspend=True)
    lax_shop.create(steps)
    write_status(
        lax_shop, steps, {"phase": "Running", "steps": [{"id": f"s{n}", "phase": "Pending"} for n in range(9999)]}
    )

    others_progress(lax_shop, sagas)

    for name in ("crowd", "knot", "expression"):
        assert lax_shop.until_ready("workflows", name, "False")["findings"]
    assert lax_shop.until_ended("input")["reason"] == "PayloadTooLarge"


@pytest.mark.fault(
    "Steps, Workflows and runs with names of 253 characters, and with Unicode, NUL and blanks for ids, keys and URLs",
    "Findings or a run that says why; the operator lives, other runs progress, also after a restart",
)
def test_weird_names(lax_shop: Shop, sagas: Sagas) -> None:
    longest = ".".join(["x" * 63, "y" * 63, "z" * 63, "w" * 61])
    lax_shop.create(named("Step", longest, spec={"endpoint": sagas.endpoint("Stock.Reserve")}))
    lax_shop.create(workflow(longest, sagas.step("a", "Stock.Reserve")), run_of(longest, longest))
    for number, text in enumerate(WEIRD):
        step = sagas.step(
            "a", "Stock.Reserve", text, fallback=text, input={"header": {text: text}, "body": {text: text}}
        )
        lax_shop.create(
            workflow(f"id-{number}", sagas.step(text, "Stock.Reserve"), sagas.step("b", "Courier.Ship", text))
        )
        lax_shop.create(workflow(f"text-{number}", step, output={text: f"${{{text}}}"}))
        lax_shop.create(workflow(f"url-{number}", {"id": "a", "endpoint": {"url": f"http://{text}/{text}"}}))
        lax_shop.create(named("Step", f"key-{number}", spec={text: text, "endpoint": {text: text}}))
        for name in ("id", "text", "url"):
            lax_shop.create(run_of(f"{name}-{number}", f"{name}-{number}"))
        lax_shop.create(run_of(text, f"ref-{number}"), run_of("sound", f"in-{number}", input={"header": {text: text}}))

    others_progress(lax_shop, sagas)

    assert lax_shop.until_ready("workflows", "id-0", "False")["findings"]


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
