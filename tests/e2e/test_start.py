"""A bad setting ends the start: one line that names it, exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from examples.order.demo.world import SCRIPTS


def started(tmp_path: Path, **settings: str) -> tuple[int, str]:
    """Exit code and output of an operator with these settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FLOW_", "KUBE"))}
    done = subprocess.run(
        [sys.executable, "-m", "flow_operator"],
        env=inherited | settings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FLOW_LEASE_DURATION", "soon", "FLOW_LEASE_DURATION"),
        ("FLOW_HTTP_LISTENS", "127.0.0.1:1", "FLOW_HTTP_LISTENS is no setting: did you mean FLOW_HTTP_LISTEN?"),
        ("KUBECONFIG", "/does/not/exist", "KUBECONFIG /does/not/exist"),
        ("FLOW_LOG_LEVEL", "info", "no KUBECONFIG is set, and this is no pod"),
    ],
)
def test_a_bad_setting_is_one_line_and_exit_code_2(tmp_path: Path, name: str, value: str, message: str) -> None:
    code, output = started(tmp_path, **{name: value})

    assert code == 2
    (line,) = output.splitlines()
    assert line.startswith("flow-operator: ")
    assert message in line


def test_the_console_script_is_the_same() -> None:
    version = subprocess.run([SCRIPTS / "flow-operator", "--version"], capture_output=True, text=True, check=True)

    assert version.stdout.startswith("flow-operator ")
