"""The image: built from locked wheels only, and its entry point at work as nobody in particular on a read-only root."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.image import Image, built_image, obstacle
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

import flow_operator

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.timeout(900), pytest.mark.xdist_group("image")]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image, built once."""
    if why := obstacle():
        pytest.skip(why)
    with built_image(tmp_path_factory.mktemp("image")) as built:
        yield built


def test_it_says_what_it_is(image: Image) -> None:
    labels = image.config["Labels"]

    assert labels["org.opencontainers.image.title"] == "flow-operator"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.version"] == flow_operator.__version__
    assert printed(image, "--version") == f"flow-operator {flow_operator.__version__}"


def test_there_is_nothing_in_it_to_build_or_install_with(image: Image) -> None:
    programs = {path.name for directory in ("usr/bin", "opt/flow/bin") for path in (image.root / directory).iterdir()}

    assert "flow-operator" in programs
    assert not programs & {"cc", "gcc", "g++", "clang", "ld", "make", "cargo", "go", "hatchling"}
    assert not list((image.root / "opt/flow").glob("lib/python3*/site-packages/pip*"))
    assert not (image.root / "etc/pip.conf").exists()
    assert not (image.root / "src").exists()


def test_its_entry_point_runs_a_saga_as_that_user_on_a_read_only_root(
    image: Image, bare_shop: Shop, sagas: Sagas
) -> None:
    operator = bare_shop.hire(program=image.program())
    bare_shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge"))

    bare_shop.start("order")

    assert bare_shop.until_ended("run")["phase"] == "Success"
    assert identity(operator.pid) == {"Uid": {"65532"}, "Gid": {"65532"}, "CapEff": {"0000000000000000"}}
    assert root_mount(operator.pid).startswith("ro,")
    operator.ask_to_end()
    assert operator.wait(30) == 0


def printed(image: Image, *arguments: str) -> str:
    """What the entry point prints."""
    return subprocess.run(image.program(*arguments), capture_output=True, text=True, check=True).stdout.strip()


def identity(pid: int) -> dict[str, set[str]]:
    """Who a process is: real, effective, saved and file system ids, and its capabilities."""
    lines = (line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: set(value.split()) for name, value in lines if name in ("Uid", "Gid", "CapEff")}


def root_mount(pid: int) -> str:
    """The options that the root of a process is mounted with."""
    mounts = (line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines())
    (options,) = (fields[5] for fields in mounts if fields[4] == "/")
    return options
