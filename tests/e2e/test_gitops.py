"""GitOps: the objects of examples/gitops arrive in any order, and Argo CD's actions are accepted by the operator."""

import os
import shutil
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from examples.order.manifests import documents
from examples.order.services import Mode
from tests.controlplane import eventually
from tests.e2e.kube import Object
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop
from tests.gitops.judge import Judge, program

pytestmark = pytest.mark.e2e

EXAMPLE = Path(__file__).parents[2] / "examples" / "gitops"
WITHIN = 60.0
AWKWARD: dict[str, Any] = {"nothing": None, "empty": {}, "list": [None, {}], "long": 2**53 + 1}
"""Values that Lua cannot keep."""


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """Argo CD's Lua and kstatus."""
    with Judge(program()) as running:
        yield running


class Overlay:
    """A person's own overlay of one of the example's, for the services of a test: they listen on other ports."""

    def __init__(self, shop: Shop, directory: Path, name: str, suffix: str = "") -> None:
        self._shop = shop
        self.directory = directory / f"{name}{suffix}"
        self.directory.mkdir()
        shutil.copy(EXAMPLE / "references.yaml", self.directory)
        example = EXAMPLE / "overlays" / name
        (self.directory / "rendered.yaml").write_text(shop.kubectl("kustomize", str(example)))
        moved = documents(self.directory / "rendered.yaml", shop.services.ports)
        (self.directory / "ports.yaml").write_text(yaml.safe_dump_all(moved))
        kustomization = {
            "kind": "Kustomization",
            "resources": [os.path.relpath(example, self.directory)],
            "patches": [{"path": "ports.yaml"}],
            "configurations": ["references.yaml"],
            "namespace": shop.namespace,
            "nameSuffix": suffix,
        }
        (self.directory / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        self.objects: list[Object] = list(yaml.safe_load_all(shop.kubectl("kustomize", str(self.directory))))
        """As they are in Git."""

    def stored(self) -> Iterator[Object]:
        """As they are in the cluster."""
        for each in self.objects:
            found = self._shop.kube.get(f"{each['kind'].lower()}s", self._shop.namespace, each["metadata"]["name"])
            assert found is not None
            yield found

    def until_healthy(self, judge: Judge) -> None:
        """Wait as Flux and Argo CD do."""
        eventually(
            lambda: all(
                judge.kstatus(each) == "Current" and judge.health(each)[0] == "Healthy" for each in self.stored()
            ),
            within=WITHIN,
            what=f"every object of {self.directory.name} Current and Healthy",
        )


@pytest.mark.parametrize("name", ["staging", "production"])
def test_applied_at_once(shop: Shop, judge: Judge, tmp_path: Path, name: str) -> None:
    overlay = Overlay(shop, tmp_path, name)
    shop.kubectl("apply", "-k", str(overlay.directory))
    overlay.until_healthy(judge)
    shop.kubectl("diff", "-k", str(overlay.directory))  # fails when the cluster differs from Git


def test_one_by_one_in_every_order(shop: Shop, judge: Judge, tmp_path: Path) -> None:
    """24 orders of two Steps, the Workflow and the run, each under names of its own."""
    overlays = []
    for number, order in enumerate(permutations(range(4))):
        overlay = Overlay(shop, tmp_path, "staging", f"-{number}")
        shop.create(*(overlay.objects[position] for position in order))
        overlays.append(overlay)
    for overlay in overlays:
        overlay.until_healthy(judge)
        assert shop.status(overlay.objects[-1]["metadata"]["name"])["phase"] == "Success"


def act(shop: Shop, judge: Judge, action: str) -> None:
    """A person takes an action in Argo CD, which sends its patch; the operator accepts the command."""
    run = shop.object("run")
    assert action in judge.possible(run)
    patches = judge.patches(run, action)
    assert patches.keys() == {"object"}
    shop.kube.patch("workflowexecutions", shop.namespace, "run", patches["object"])
    answered = shop.until(
        "run", lambda status: status.get("lastCommand", {}).get("id", "").startswith(f"{action}-"), f"{action} answered"
    )
    assert answered["lastCommand"]["result"] == "Accepted"
    eventually(lambda: not shop.annotations("run"), within=WITHIN, what=f"the annotations of {action} taken off")


def test_suspend_resume_and_abort_from_argo_cd(shop: Shop, judge: Judge, sagas: Sagas) -> None:
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    shop.behave("Payments.Charge", Mode.HOLD)
    shop.start("order", input={"body": AWKWARD})
    shop.until_called("run", "b")
    sent = shop.object("run")["spec"]

    act(shop, judge, "suspend")
    assert judge.health(shop.object("run"))[0] == "Suspended"
    act(shop, judge, "resume")
    assert judge.health(shop.object("run"))[0] == "Progressing"
    act(shop, judge, "abort")
    shop.works_again("Payments.Charge")

    assert shop.until_ended("run")["phase"] == "Aborted"
    assert [call.step for call in shop.calls("run", "undo")] == ["b", "a"]
    assert judge.health(shop.object("run"))[0] == "Degraded"
    assert judge.possible(shop.object("run")) == set()
    assert shop.object("run")["spec"] == sent


def test_retry_from_argo_cd(shop: Shop, judge: Judge, sagas: Sagas) -> None:
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    shop.behave("Courier.Ship", Mode.DECLINE)
    shop.behave("Payments.Refund", Mode.DECLINE)
    shop.start("order")
    shop.until_phase("run", "Suspend")
    assert judge.health(shop.object("run"))[0] == "Degraded"
    assert judge.kstatus(shop.object("run")) == "Failed"
    shop.works_again("Payments.Refund")

    act(shop, judge, "retry")

    assert shop.until_ended("run")["compensation"]["phase"] == "Success"
