"""A shop for each test: a namespace, an operator of its own under the Role that it is installed with, the services.

After each test the history of every run in its namespace is checked, the operator's log must have no error in it, and
the API server must not have refused the operator anything.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.order.services import OrderServices
from tests.controlplane import ControlPlane, existing_kubeconfig
from tests.controlplane.process import Tether
from tests.e2e.audit import checked
from tests.e2e.kube import Kube
from tests.e2e.proxied_shop import ProxiedShop, surrounded
from tests.e2e.role import install
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop


@pytest.fixture(scope="session")
def kube(control_plane: ControlPlane) -> Iterator[Kube]:
    """The administrator."""
    with Kube(control_plane.kubeconfig) as opened:
        yield opened


@pytest.fixture(scope="session")
def own_control_planes() -> None:
    """For tests that start a control plane of their own, with other CRDs or with nothing else in its audit log."""
    if existing_kubeconfig():
        pytest.skip("needs control planes of the project's own, not the cluster of FLOW_TEST_KUBECONFIG")


@pytest.fixture(scope="session")
def running_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrderServices]:
    """The services, one set for each test process."""
    with OrderServices(tmp_path_factory.mktemp("journals")) as services:
        yield services


@pytest.fixture
def services(running_services: OrderServices) -> Iterator[OrderServices]:
    """The services; whatever a test tells them, they work again after it."""
    yield running_services
    running_services.work()


@pytest.fixture(scope="session")
def tether(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tether]:
    """Ends every operator together with the tests, however these end."""
    tether = Tether(tmp_path_factory.mktemp("tether"))
    yield tether
    tether.release()


@pytest.fixture
def bare_shop(
    control_plane: ControlPlane, kube: Kube, namespace: str, services: OrderServices, tether: Tether, tmp_path: Path
) -> Iterator[Shop]:
    """The test's world before anybody works there; all that operators do in it is checked at the end."""
    account = install(kube, namespace)
    with checked(Shop(control_plane, kube, namespace, services, account, tmp_path, tether.group)) as shop:
        yield shop


@pytest.fixture
def shop(bare_shop: Shop) -> Shop:
    """The test's world with one operator at work."""
    bare_shop.hire()
    return bare_shop


@pytest.fixture
def sagas(running_services: OrderServices) -> Sagas:
    """Builds workflows that call the services."""
    return Sagas(running_services.ports)


@pytest.fixture
def proxied_shop(bare_shop: Shop, tmp_path: Path) -> Iterator[ProxiedShop]:
    """The test's world with proxies in it, and no operator yet."""
    with surrounded(bare_shop, tmp_path) as opened:
        yield opened
