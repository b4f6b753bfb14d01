"""Which binaries and which Go are taken, without building anything."""

import socket
import sys
from pathlib import Path

import pytest
from tests.controlplane import BinariesError, find_or_build
from tests.controlplane.gobuild import cache_directory
from tests.controlplane.ports import ReservedPort
from tests.controlplane.toolchain import find_go


def executable(path: Path, script: str = "") -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_kubebuilder_assets_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("etcd", "kube-apiserver", "kube-controller-manager"):
        executable(tmp_path / name)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    binaries = find_or_build()

    assert (binaries.etcd, binaries.kube_apiserver) == (tmp_path / "etcd", tmp_path / "kube-apiserver")
    assert binaries.kube_controller_manager == tmp_path / "kube-controller-manager"


def test_without_a_controller_manager_it_is_said_what_will_not_happen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    executable(tmp_path / "etcd")
    executable(tmp_path / "kube-apiserver")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    assert find_or_build().kube_controller_manager is None

    assert "no kube-controller-manager" in capsys.readouterr().err


def test_assets_that_are_none_are_an_error_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    with pytest.raises(BinariesError, match="there is no executable etcd"):
        find_or_build()


def test_a_new_enough_go_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = executable(tmp_path / "go", "echo go version go1.99.1 plan9/mips")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert (find_go().command, find_go().version) == (own, "go1.99.1 plan9/mips")


@pytest.mark.parametrize("said", ["echo go version go1.21.0 linux/amd64", "exit 3"])
def test_an_old_or_broken_go_gives_way_to_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    executable(tmp_path / "go", said)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert Path(sys.prefix) in find_go().command.parents


def test_the_cache_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert cache_directory() == tmp_path / "flow-operator" / "controlplane"


def test_a_reserved_port_takes_no_connection_and_is_nobody_elses() -> None:
    port = ReservedPort()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port.number))
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect(("127.0.0.1", port.number))
    port.release()
