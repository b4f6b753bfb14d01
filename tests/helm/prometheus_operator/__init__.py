"""The Prometheus operator's own CustomResourceDefinitions, from its Go module, in the version that go.mod names."""

import json
import subprocess
from functools import cache
from pathlib import Path

from tests.controlplane.binaries import BinariesError
from tests.controlplane.toolchain import build_environment, find_go

MODULE = Path(__file__).parent
NAME = "github.com/prometheus-operator/prometheus-operator"


def crd(plural: str) -> Path:
    """The file that defines a kind; it is fetched once per user, and must be what go.sum says."""
    return source() / "example" / "prometheus-operator-crd" / f"monitoring.coreos.com_{plural}.yaml"


@cache
def source() -> Path:
    """The module, as Go keeps it; fetched if it is not there."""
    command: list[str | Path] = [find_go(MODULE).command, "mod", "download", "-json", NAME]
    done = subprocess.run(
        command, cwd=MODULE, env=build_environment(), capture_output=True, text=True, check=False, timeout=240
    )
    if done.returncode:
        raise BinariesError(f"cannot fetch {NAME}: {done.stdout}{done.stderr}")
    return Path(json.loads(done.stdout)["Dir"])
