"""A cluster in which pods are scheduled and become Ready, and Helm as a person uses it there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.controlplane import existing_kubeconfig
from tests.e2e.kube import Kube
from tests.helm.release import Helm
from tests.helm.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A control plane without Flow's CRDs, where pods become Ready."""
    if existing_kubeconfig():
        pytest.skip("needs control planes of the project's own, not the cluster of FLOW_TEST_KUBECONFIG")
    with World() as opened:
        yield opened


@pytest.fixture
def kube(world: World) -> Iterator[Kube]:
    """The administrator."""
    with Kube(world.control_plane.kubeconfig) as opened:
        yield opened


@pytest.fixture
def helm(world: World, tmp_path: Path) -> Helm:
    """Helm 4."""
    return Helm(world.control_plane, tmp_path)
