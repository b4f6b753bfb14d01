"""What is generated is current, and the generators notice when it is not."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from flow_operator.api import crd, reference
from flow_operator.api.generated import REPOSITORY, write_or_check

Generator = Callable[[Path], Mapping[str, str]]

GENERATORS: dict[str, Generator] = {
    "flow_operator.api.crd": lambda _: crd.files(),
    "flow_operator.api.reference": reference.files,
}


@pytest.mark.parametrize("module", GENERATORS)
def test_current(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_or_check(module, GENERATORS[module], ["--check"]) == 0, capsys.readouterr().out


def test_the_crds_are_written_where_they_are_missing(tmp_path: Path) -> None:
    generate, root = GENERATORS["flow_operator.api.crd"], ["--root", str(tmp_path)]
    assert write_or_check("flow_operator.api.crd", generate, ["--check", *root]) == 1
    assert write_or_check("flow_operator.api.crd", generate, root) == 0
    assert write_or_check("flow_operator.api.crd", generate, ["--check", *root]) == 0


def test_the_prose_of_the_reference_stays(tmp_path: Path) -> None:
    text = (REPOSITORY / reference.PATH).read_text().replace("| `Valid` |", "| `Stale` |")
    (tmp_path / "docs").mkdir()
    (tmp_path / reference.PATH).write_text(text.replace("# API reference", "# Prose by hand"))
    root = ["--root", str(tmp_path)]
    assert write_or_check("flow_operator.api.reference", reference.files, ["--check", *root]) == 1
    assert write_or_check("flow_operator.api.reference", reference.files, root) == 0
    written = (tmp_path / reference.PATH).read_text()
    assert "# Prose by hand" in written
    assert "| `Valid` |" in written


def test_a_stale_file_is_named_with_its_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")

    assert write_or_check("some.module", lambda _: {"a.txt": "one\nthree\n"}, ["--check", "--root", str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "-two\n+three\n" in printed
    assert "not current: a.txt; write with: python -m some.module" in printed
    assert (tmp_path / "a.txt").read_text() == "one\ntwo\n"


def test_a_long_difference_is_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "".join(f"{line}\n" for line in range(100))
    assert write_or_check("some.module", lambda _: {"a.txt": text}, ["--check", "--root", str(tmp_path)]) == 1
    assert "… and 63 more lines" in capsys.readouterr().out


def test_the_chart_has_the_same_crds() -> None:
    for path in (REPOSITORY / "crds").glob("*.yaml"):
        assert (REPOSITORY / "helm/flow-operator/files/crds" / path.name).read_text() == path.read_text()


def test_the_crds_hold_nothing_by_reference() -> None:
    for text in crd.files().values():
        assert "&id" not in text
