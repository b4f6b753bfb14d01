"""One minute of it: faults in quick succession, and fewer."""

from pathlib import Path

import pytest
from tests.controlplane import existing_kubeconfig
from tests.controlplane.controlplane import ControlPlane
from tests.soak.soak import Options, soak

pytestmark = pytest.mark.e2e

MINUTE = Options(seconds=60, seed=1, runs_per_second=1.0, pause=2.0)


@pytest.mark.timeout(420)
def test_a_minute_of_everything(tmp_path: Path) -> None:
    if existing_kubeconfig():
        pytest.skip("restarts its API server: needs a control plane of the project's own")
    with ControlPlane() as plane:
        report = soak(MINUTE, plane, tmp_path, print)
    print("\n".join(report.summary))
    assert not report.findings, "\n".join(report.findings)
