"""Builds what a go.mod names, once per user, with a line that shows how far it is.

The cache key is made of everything that decides the result: the files of the module, the flags and the Go version.
"""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.controlplane.toolchain import MODULE, BinariesError, Go, build_environment, find_go, go_mod_version


@dataclass(frozen=True)
class Programs:
    """What is built of one Go module."""

    module: Path
    packages: Mapping[str, str]
    """Name of the executable → package."""
    variables: Mapping[str, str]
    """What the linker puts into variables of the programs: the versions that they say of themselves."""

    @property
    def flags(self) -> list[str]:
        """The flags of `go build`."""
        stamped = "".join(f" -X {name}={value}" for name, value in self.variables.items())
        return ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w{stamped}"]


def kubernetes(*names: str) -> Programs:
    """Servers of Kubernetes, and etcd."""
    # A server without a version is "v0.0.0-master": kubectl's skew check and charts with kubeVersion refuse it.
    version = go_mod_version(r"^\s*k8s\.io/kubernetes v(\d+)\.(\d+)\.(\d+)")
    major, minor, patch = version.groups()
    stamps = {"gitVersion": f"v{major}.{minor}.{patch}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = {
        name: "go.etcd.io/etcd/server/v3" if name == "etcd" else f"k8s.io/kubernetes/cmd/{name}" for name in names
    }
    return Programs(MODULE, packages, {f"k8s.io/component-base/version.{name}": text for name, text in stamps.items()})


def build(programs: Programs) -> Path:
    """Return the directory that holds these programs, building those that are missing."""
    go = find_go(programs.module)
    directory = cache_directory() / _key(go, programs)
    if _missing(programs, directory):
        directory.mkdir(parents=True, exist_ok=True)
        with _only_builder(directory):
            _build_missing(go, programs, directory)
    return directory


def built(programs: Programs) -> Path | None:
    """The directory that holds all of these programs, if they are built."""
    directory = cache_directory() / _key(find_go(programs.module), programs)
    return None if _missing(programs, directory) else directory


def cache_directory() -> Path:
    """Where binaries are kept for this user, whatever the checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "flow-operator" / "controlplane"


def _key(go: Go, programs: Programs) -> str:
    digest = hashlib.sha256()
    files = (*(programs.module / name for name in ("go.mod", "go.sum")), *sorted(programs.module.glob("*.go")))
    for part in (*(file.read_bytes() for file in files), *map(str.encode, programs.flags)):
        digest.update(hashlib.sha256(part).digest())
    digest.update(go.version.encode())
    return digest.hexdigest()[:16]


def _missing(programs: Programs, directory: Path) -> list[str]:
    return [name for name in programs.packages if not (directory / name).exists()]


@contextlib.contextmanager
def _only_builder(directory: Path) -> Iterator[None]:
    """Hold the build lock of this key; the kernel releases it however the holder ends."""
    with (directory / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"another process is building in {directory}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_missing(go: Go, programs: Programs, directory: Path) -> None:
    if missing := _missing(programs, directory):
        _say(f"building {', '.join(missing)} from source with {go.version}, once: takes minutes, kept in {directory}")
    for name in missing:
        # Each tool is moved into place whole, so a build that was interrupted goes on where it stopped.
        partial = directory / f".{name}.partial"
        log = directory / f".{name}.log"
        command: list[str | Path] = [go.command, "build", "-v", *programs.flags, "-o", partial, programs.packages[name]]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=programs.module, env=build_environment(), stdout=output, stderr=output
            )
        try:
            _follow(process, name, log)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        partial.replace(directory / name)


def _follow(process: subprocess.Popen[bytes], name: str, log: Path) -> None:
    started = time.monotonic()
    shown = 0.0
    while True:
        try:
            code = process.wait(timeout=1)
            break
        except subprocess.TimeoutExpired:
            elapsed = time.monotonic() - started
            if sys.stderr.isatty() or elapsed - shown >= 15:
                shown = elapsed
                _say(f"{name}: {_stage(log)}, {_clock(elapsed)}", transient=True)
    if code:
        raise BinariesError(f"go build of {name} failed:\n" + "\n".join(log.read_text().splitlines()[-20:]))
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
