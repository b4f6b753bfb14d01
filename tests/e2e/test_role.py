"""The chart's Roles are exact: on a control plane where nothing else happens, the operator uses every rule and none is
refused, whether it watches the whole cluster or listed namespaces.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from examples.order.services import Mode, OrderServices
from tests.controlplane import ControlPlane
from tests.controlplane.process import Tether
from tests.e2e.audit import checked, requests
from tests.e2e.kube import Kube, Object
from tests.e2e.role import ACCOUNT, ServiceAccount, documents
from tests.e2e.sagas import Sagas, step
from tests.e2e.shop import Shop
from tests.helm.chart import NAMESPACE

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("own_control_planes")]

Rights = set[tuple[str, str, str]]
"""Group, resource and verb of each."""


@pytest.fixture(params=["", "shop"], ids=["the whole cluster", "one namespace"])
def watched(request: pytest.FixtureRequest) -> str:
    """What the operator watches, as FLOW_NAMESPACES says it."""
    return str(request.param)


@pytest.fixture
def installed(watched: str) -> list[Object]:
    """What the chart installs for it."""
    return documents(NAMESPACE, [watched] if watched else [])


@pytest.fixture
def lonely_shop(
    watched: str, installed: list[Object], services: OrderServices, tether: Tether, tmp_path: Path
) -> Iterator[Shop]:
    """A shop on a control plane of its own, with an operator as it is installed."""
    with ControlPlane() as control_plane, Kube(control_plane.kubeconfig) as kube:
        for namespace in (NAMESPACE, "shop"):
            control_plane.kubectl("create", "namespace", namespace)
        for document in installed:
            kube.create(document)
        account = ServiceAccount(NAMESPACE, control_plane.service_account_token(NAMESPACE, ACCOUNT))
        with checked(Shop(control_plane, kube, "shop", services, account, tmp_path, tether.group)) as shop:
            shop.hire(FLOW_NAMESPACES=watched, FLOW_LEASE_NAMESPACE=NAMESPACE, FLOW_SHARDS="2")
            yield shop


def allowed(installed: list[Object]) -> Rights:
    """All that the chart allows."""
    rules = [rule for document in installed for rule in document.get("rules", ())]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(shop: Shop) -> Rights:
    """All that the operator has made use of."""
    about = [(event["objectRef"], event["verb"]) for event in requests(shop)]
    return {
        (ref.get("apiGroup", ""), "/".join(filter(None, (ref["resource"], ref.get("subresource")))), verb)
        for ref, verb in about
    }


def until_read(shop: Shop, plural: str, edit: Callable[[int], None]) -> None:
    """Edit until the operator's write of a status meets an edit that it has not seen, and it reads the object."""
    right = ("flow.unistack.org", plural, "get")
    for batch in range(20):
        for number in range(25):
            edit(batch * 25 + number)
        if right in used(shop):
            return
    pytest.fail(f"the operator has never read one of the {plural}")


def test_every_rule_is_used_and_none_is_missing(lonely_shop: Shop, installed: list[Object], sagas: Sagas) -> None:
    shop = lonely_shop
    shop.define(step("reserve", endpoint=sagas.endpoint("Stock.Reserve")))
    shop.define(sagas.chain("order", "Stock.Reserve", "Courier.Ship"))
    shop.behave("Stock.Reserve", Mode.HOLD)
    shop.start("order")
    shop.until_phase("run", "Running")  # the services may still know a call of the other control plane's run
    shop.obey("run", "suspend")
    shop.operator.crash()
    shop.obey("run", "resume")
    shop.works_again("Stock.Reserve")
    shop.until_ended("run")

    def edit_run(number: int) -> None:
        if number % 25 == 0:
            shop.start("order", f"run-{number}")
        label = {"metadata": {"labels": {"n": str(number)}}}
        shop.kube.patch("workflowexecutions", "shop", f"run-{number - number % 25}", label)

    def edit_step(number: int) -> None:
        shop.kube.patch("steps", "shop", "reserve", {"spec": {"timeout": {"request": f"{number + 1}s"}}})

    def edit_workflow(number: int) -> None:
        shop.kube.patch("workflows", "shop", "order", {"spec": {"timeout": {"run": f"{number + 1}m"}}})

    until_read(shop, "workflowexecutions", edit_run)
    until_read(shop, "steps", edit_step)
    until_read(shop, "workflows", edit_workflow)

    shop.operator.stop()

    assert used(shop) == allowed(installed)
