"""Builds the Dockerfile with buildah, in a store of its own that goes away with the tests."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
ENTER = Path(__file__).with_name("enter.py")
BASE = "localhost/base"
BASE_PACKAGES = "python3,python3-pip,python-is-python3,ca-certificates"
REACHING_AN_INDEX = ("index-url", "extra-index-url", "trusted-host", "proxy", "cert")


def obstacle() -> str | None:
    """Why no image can be built here; None if one can."""
    missing = [tool for tool in ("buildah", "mmdebstrap", "unshare") if shutil.which(tool) is None]
    if missing:
        return f"building the image needs {', '.join(missing)}"
    return None if os.geteuid() == 0 else "assembling a base image and entering the result needs root"


@dataclass(frozen=True, slots=True)
class Image:
    """The result, unpacked."""

    root: Path
    config: dict[str, Any]
    """What the image says of itself, as OCI has it: User, Entrypoint, Env, Labels."""

    def program(self, *arguments: str) -> Sequence[str | Path]:
        """Starts the entry point as the image's user, the image as a read-only root, in the host's network."""
        told = {"root": str(self.root), "user": self.config["User"], "env": self.config["Env"]}
        entry = [*self.config["Entrypoint"], *arguments]
        return ["unshare", "--mount", sys.executable, ENTER, json.dumps(told), *entry]


@contextmanager
def built_image(directory: Path) -> Iterator[Image]:
    """Build it below this directory, and take everything away afterwards."""
    store = ("--storage-driver", "vfs", "--root", str(directory / "store"), "--runroot", str(directory / "run"))

    def buildah(verb: str, *arguments: str | Path) -> str:
        return _run("buildah", *store, verb, *arguments)

    base = directory / "base"
    base.mkdir()
    _run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={BASE_PACKAGES}", "bookworm", base / "base.tar")
    (base / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
    buildah("bud", "--isolation", "chroot", "--tag", BASE, base)
    index = _index_options(directory / "pip.conf")
    buildah("bud", "--isolation", "chroot", "--build-arg", f"BASE={BASE}", *index, "--tag", "flow-operator", ROOT)
    (inspected,) = [json.loads(buildah("inspect", "--type", "image", "flow-operator"))]
    container = buildah("from", "flow-operator").strip()
    try:
        yield Image(Path(buildah("mount", container).strip()), inspected["OCIv1"]["config"])
    finally:
        buildah("rm", container)
        shutil.rmtree(directory)


def _index_options(secret: Path) -> list[str]:
    """How pip reaches its index on this machine, handed to the build and kept out of its layers."""
    lines = (line.partition("=") for line in _run(sys.executable, "-m", "pip", "config", "list").splitlines())
    told = {key.rpartition(".")[2]: ast.literal_eval(value) for key, _, value in lines}
    known = {key: value for key, value in told.items() if key in REACHING_AN_INDEX}
    secret.write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in known.items()))
    options = ["--secret", f"id=pip.conf,src={secret}"]
    if "cert" in known:
        options += ["--volume", f"{known['cert']}:{known['cert']}:ro"]
    return options


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}"
    return done.stdout
