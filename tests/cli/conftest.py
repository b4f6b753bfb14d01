"""Who takes part in the tests on a real API server."""

import pytest
from tests.cli.operator import Operator
from tests.cli.person import Person
from tests.controlplane import Cluster


@pytest.fixture
def person(cluster: Cluster, namespace: str) -> Person:
    """A person in the namespace of the test."""
    return Person(cluster.kubeconfig, namespace)


@pytest.fixture
def operator(cluster: Cluster, namespace: str) -> Operator:
    """Plays the operator of a run, order-1."""
    return Operator(cluster, namespace)
