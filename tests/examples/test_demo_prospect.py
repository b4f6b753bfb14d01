"""The demo says what it is about to do."""

from pathlib import Path

import pytest
from examples.order.demo.prospect import STARTERS, clusters_on_path, prospect
from tests.controlplane.binaries import found


def said(*arguments: object) -> str:
    return "\n".join(prospect(*arguments))  # type: ignore[arg-type]


def test_a_cluster_of_ones_own_is_used_and_named() -> None:
    assert said("/home/me/config", None, []) == "Using the cluster of KUBECONFIG (/home/me/config); nothing is built."


def test_binaries_that_are_there_are_used_and_named() -> None:
    assert "from the binaries in KUBEBUILDER_ASSETS (/bin)" in said(
        None, "the binaries in KUBEBUILDER_ASSETS (/bin)", []
    )


def test_a_build_is_announced_with_its_time_and_the_ways_around_it() -> None:
    text = said(None, None, ["kind"])
    assert "about six minutes" in text
    assert "KUBECONFIG" in text
    assert "KUBEBUILDER_ASSETS" in text
    assert STARTERS["kind"] in text
    assert "k3s" not in text


def test_programs_that_start_clusters_are_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kind").write_text("#!/bin/sh\n")
    (tmp_path / "kind").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert clusters_on_path() == ["kind"]


def test_nothing_is_found_before_it_was_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert found() is None
    monkeypatch.setenv("KUBEBUILDER_ASSETS", "/somewhere")
    assert found() == "the binaries in KUBEBUILDER_ASSETS (/somewhere)"
