"""Who judges objects in the tests for GitOps."""

from collections.abc import Iterator

import pytest
from tests.gitops.judge import Judge, program


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """Argo CD's Lua and kstatus."""
    with Judge(program()) as running:
        yield running
