"""The tutorial works as it is written."""

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.controlplane import ControlPlane
from tests.controlplane.ports import quiet_port
from tests.controlplane.process import Tether
from tests.docs.walkthrough import Walk, blocks, commands, matches

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial.md"


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    """A reader with a control plane and nothing else, in a directory that has the repository's CRDs."""
    directory = tmp_path / "reader"
    directory.mkdir()
    (directory / "crds").symlink_to(ROOT / "crds")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FLOW_", "KUBE"))}
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    tether = Tether(tmp_path / "tether")
    with ControlPlane(crds=None) as cluster:
        environment = {**inherited, "KUBECONFIG": str(cluster.kubeconfig), "PATH": path, "HOME": str(tmp_path)}
        walk = Walk(directory, environment, tether)
        yield walk
        tether.release()
        walk.end()


@pytest.mark.e2e
def test_the_tutorial_works_as_it_is_written(walk: Walk) -> None:
    page = PAGE.read_text()
    for port in ("18080", "18081"):  # they may be taken on this machine
        page = page.replace(port, str(quiet_port()))

    assert walk.follow(page, provided="cluster") > 10


def test_a_page_is_read_block_by_block() -> None:
    page = "<!-- file: a.py -->\n```python\npass\n```\n\ntext\n\n```console\n$ one\nprinted\n$ two\n```\n"
    first, second = blocks(page)
    assert (first.note, first.text) == ({"file": "a.py"}, "pass\n")
    assert [(each.typed, each.printed) for each in commands(second.text)] == [("one", "printed\n"), ("two", "")]


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a  b\n", "a b\n", True),
        ("a …\n", "a b c\n", True),
        ("…\nlast\n", "first\nlast\n", True),
        ("…\n", "", True),
        ("", "said", False),
        ("a\n", "a b\n", False),
        ("a … c\n", "a b\n", False),
    ],
)
def test_what_is_printed_is_compared(expected: str, printed: str, *, same: bool) -> None:
    assert matches(expected, printed) is same
