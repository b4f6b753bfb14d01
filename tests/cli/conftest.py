"""Who takes part in the tests on a real API server."""

import signal
from collections.abc import Iterator

import pytest
from tests.cli.operator import Operator
from tests.cli.person import Person
from tests.controlplane import Cluster


@pytest.fixture
def person(cluster: Cluster, namespace: str) -> Iterator[Person]:
    """A person in the namespace of the test, whose Ctrl-C counts."""
    # Tests that a shell runs in the background ignore Ctrl-C, and so would everything that they start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield Person(cluster.kubeconfig, namespace)
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def operator(cluster: Cluster, namespace: str) -> Operator:
    """Plays the operator of a run, order-1."""
    return Operator(cluster, namespace)
