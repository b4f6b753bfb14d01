"""A rolling update from an operator of an earlier commit, with runs in flight."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from examples.order.services import Did, Mode
from tests.controlplane import eventually
from tests.e2e.replicas import held_by
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
SHARDED = "operator/flow_operator/adapters/lease_store.py"
"""A file that there is since several leases share the runs."""


def git(*arguments: str) -> bytes:
    """What git says of this repository."""
    return subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True).stdout


def commit(which: str) -> str:
    """The commit before this one, or the last one that knew one lease only; skips where there is no such history."""
    try:
        if which == "the commit before":
            return git("rev-parse", "--verify", "HEAD~1").decode().strip()
        added = git("log", "--diff-filter=A", "--format=%H", "--", SHARDED).decode().split()
        return git("rev-parse", "--verify", f"{added[-1]}~1").decode().strip()
    except (OSError, subprocess.CalledProcessError, IndexError):
        pytest.skip(f"the history of this checkout does not have {which}")


@pytest.fixture(params=["the commit before", "the last commit with one lease"])
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The operator of an earlier commit, as a directory for PYTHONPATH."""
    archive = git("archive", commit(request.param), "operator")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(tmp_path / "earlier", filter="data")
    path = tmp_path / "earlier" / "operator"
    asked = [sys.executable, "-c", "import flow_operator; print(flow_operator.__file__)"]
    told = subprocess.run(asked, env=os.environ | {"PYTHONPATH": str(path)}, check=True, capture_output=True, text=True)
    assert told.stdout.startswith(str(path)), "else this commit is tested against itself"
    return path


@pytest.mark.fault(
    "the operator is updated while runs are under way",
    "The new one goes on where the old one ends; no call in flight is cut, none is repeated",
)
@pytest.mark.parametrize("shards", [1, 4])
def test_a_rolling_update_with_runs_in_flight(bare_shop: Shop, sagas: Sagas, earlier: Path, shards: int) -> None:
    shop = bare_shop
    old = shop.hire("old", PYTHONPATH=str(earlier), FLOW_LEASE_DURATION="60s")
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    shop.behave("Payments.Charge", Mode.HOLD)
    names = [shop.start("order", f"run-{number}") for number in range(10)]
    for name in names:
        shop.until_called(name, "b")

    new = shop.hire("new", FLOW_SHARDS=str(shards), FLOW_LEASE_DURATION="60s")
    assert held_by(new) == 0
    old.ask_to_end()
    names += [shop.start("order", f"later-{number}") for number in range(10)]
    shop.works_again("Payments.Charge")
    eventually(lambda: held_by(new) == shards, within=20, what="the new operator acting for everything")

    assert old.wait(10) == 0
    assert {shop.until_ended(name)["phase"] for name in names} == {"Success"}
    assert {call.did for name in names for call in shop.calls(name)} == {Did.APPLIED}
