"""The plugin can be installed as the README says: from the wheel, into an environment of its own."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.controlplane.binaries import find_kubectl

from flow_operator import __version__

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_kubectl_finds_the_plugin_that_a_wheel_installs(tmp_path: Path) -> None:
    own = tmp_path / "own"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", own)
    run(*pip, "--python", own, "install", "--no-index", "--no-deps", wheel)

    dependencies = sysconfig.get_path("purelib")  # those of this environment: a test has no network
    path = f"{own / 'bin'}{os.pathsep}{find_kubectl().parent}"
    assert run("kubectl", "flow", "--version", PATH=path, PYTHONPATH=dependencies) == f"kubectl-flow {__version__}\n"
