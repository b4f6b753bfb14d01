"""The cluster that tests marked `e2e` run on, an own control plane or the one of FLOW_TEST_KUBECONFIG.

Hypothesis's properties are the same in every run, and a slow machine makes none of them fail.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from tests.controlplane import BinariesError, Cluster, ControlPlane, existing_kubeconfig, find_or_build, open_cluster
from tests.helm.programs import build_all

settings.register_profile("flow", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("flow")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rewrite` writes what the engine does now into the text scenarios."""
    parser.addoption("--rewrite", action="store_true", help="update the expectations of the text scenarios")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the control plane, Helm and the like now: minutes that no test's timeout allows for."""
    needed = any(item.get_closest_marker("e2e") for item in session.items)
    if not needed or session.config.option.collectonly:
        return
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        try:
            build_all()
            if not existing_kubeconfig():
                find_or_build()
        except BinariesError as error:
            raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster with the CRDs installed, one for each test process."""
    with open_cluster() as opened:
        yield opened


@pytest.fixture(scope="session")
def control_plane(cluster: Cluster) -> ControlPlane:
    """The same cluster, for tests that read its audit log or restart its servers: it must be our own."""
    if not isinstance(cluster, ControlPlane):
        pytest.skip("needs the project's own control plane, not the cluster of FLOW_TEST_KUBECONFIG")
    return cluster


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own, which the cluster deletes afterwards in its own time."""
    name = cluster.create_namespace(request.node.originalname.lower().replace("_", "-"))
    yield name
    cluster.delete_namespace(name)
