"""Who judges objects in the tests for GitOps."""

from collections.abc import Iterator

import pytest
from tests.gitops.judge import Judge, build


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Argo CD's Lua and kstatus."""
    with Judge(build(tmp_path_factory.mktemp("judge"))) as running:
        yield running
