"""Builds the tools that go.mod names, once per user, with a line that shows how far it is.

The cache key is made of everything that decides the result: go.mod, go.sum, the flags and the Go version.
"""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.controlplane.toolchain import MODULE, BinariesError, Go, build_environment, find_go, go_mod_version

PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
}


def build_all() -> Path:
    """Return the directory that holds every tool, building those that are missing."""
    go, flags = find_go(), _flags()
    directory = cache_directory() / _key(go, flags)
    if _missing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        with _only_builder(directory):
            _build_missing(go, flags, directory)
    return directory


def cache_directory() -> Path:
    """Where binaries are kept for this user, whatever the checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "flow-operator" / "controlplane"


def _flags() -> list[str]:
    # A server without a version is "v0.0.0-master": kubectl's skew check and charts with kubeVersion refuse it.
    version = go_mod_version(r"^\s*k8s\.io/kubernetes v(\d+)\.(\d+)\.(\d+)")
    major, minor, patch = version.groups()
    stamps = {"gitVersion": f"v{major}.{minor}.{patch}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    stamped = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamps.items())
    return ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {stamped}"]


def _key(go: Go, flags: list[str]) -> str:
    digest = hashlib.sha256()
    for part in ((MODULE / "go.mod").read_bytes(), (MODULE / "go.sum").read_bytes(), *map(str.encode, flags)):
        digest.update(hashlib.sha256(part).digest())
    digest.update(go.version.encode())
    return digest.hexdigest()[:16]


def _missing(directory: Path) -> list[str]:
    return [name for name in PACKAGES if not (directory / name).exists()]


@contextlib.contextmanager
def _only_builder(directory: Path) -> Iterator[None]:
    """Hold the build lock of this key; the kernel releases it however the holder ends."""
    with (directory / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"another process is building the control plane in {directory}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_missing(go: Go, flags: list[str], directory: Path) -> None:
    if missing := _missing(directory):
        _say(f"building {', '.join(missing)} from source with {go.version}, once: takes minutes, kept in {directory}")
    for name in missing:
        # Each tool is moved into place whole, so a build that was interrupted goes on where it stopped.
        partial = directory / f".{name}.partial"
        log = directory / f".{name}.log"
        command: list[str | Path] = [go.command, "build", "-v", *flags, "-o", partial, PACKAGES[name]]
        with log.open("wb") as output:
            build = subprocess.Popen(command, cwd=MODULE, env=build_environment(), stdout=output, stderr=output)
        try:
            _follow(build, name, log)
        except BaseException:
            build.terminate()
            build.wait()
            raise
        partial.replace(directory / name)


def _follow(build: subprocess.Popen[bytes], name: str, log: Path) -> None:
    started = time.monotonic()
    shown = 0.0
    while True:
        try:
            code = build.wait(timeout=1)
            break
        except subprocess.TimeoutExpired:
            elapsed = time.monotonic() - started
            if sys.stderr.isatty() or elapsed - shown >= 15:
                shown = elapsed
                _say(f"{name}: {_stage(log)}, {_clock(elapsed)}", transient=True)
    if code:
        raise BinariesError(f"go build {PACKAGES[name]} failed:\n" + "\n".join(log.read_text().splitlines()[-20:]))
    _say(f"{name}: built in {_clock(time.monotonic() - started)}")


def _stage(log: Path) -> str:
    """What `go build -v` is at: it prints a line per module it downloads and per package it compiles."""
    lines = log.read_text().splitlines()
    downloads = sum(line.startswith("go: downloading") for line in lines)
    packages = len(lines) - downloads
    return f"{packages} packages compiled" if packages else f"{downloads} modules downloaded"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _say(text: str, *, transient: bool = False) -> None:
    """A progress line on stderr; on a terminal a transient one is overwritten by the next."""
    terminal = sys.stderr.isatty()
    sys.stderr.write(("\r\x1b[K" if terminal else "") + text + ("" if terminal and transient else "\n"))
    sys.stderr.flush()
