"""Asks Argo CD's Lua and kstatus about objects: a Go program made of the libraries that they use themselves."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.controlplane.gobuild import Programs, build

MODULE = Path(__file__).parent / "judge"
SCRIPTS = Path(__file__).parents[2] / "helm" / "flow-operator" / "files" / "argocd"

Object = Mapping[str, Any]


def program() -> Path:
    """The program, built if it is not there."""
    return build(Programs(MODULE, {"judge": "."}, {})) / "judge"


class Judge:
    """A process that answers; a context manager that ends it."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def kstatus(self, object: Object) -> str:
        """What `flux`, `kustomize-controller` and `helm --wait` make of an object."""
        return str(self._ask("kstatus", object)["status"])

    def health(self, object: Object) -> tuple[str, str]:
        """Argo CD's health of an object, and the message to it."""
        answer = self._ask("health", object, f"{object['kind']}/health.lua")
        return answer["status"], answer["message"]

    def possible(self, run: Object) -> set[str]:
        """The actions that Argo CD offers for a run."""
        actions = self._ask("discovery", run, f"{run['kind']}/actions/discovery.lua")
        return {name for name, action in actions.items() if not action["disabled"]}

    def patches(self, run: Object, action: str) -> dict[str, Any]:
        """What Argo CD sends when a person takes this action: `object`, and `status` if it touches that."""
        return self._ask("action", run, f"{run['kind']}/actions/{action}.lua")

    def _ask(self, what: str, object: Object, script: str | None = None) -> dict[str, Any]:
        question = {"ask": what, "object": object, "script": (SCRIPTS / script).read_text() if script else ""}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer
