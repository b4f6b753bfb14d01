"""The chart as Helm renders it, without a cluster."""

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from tests.helm.programs import program

CHART = Path(__file__).parents[2] / "helm" / "flow-operator"
RELEASE, NAMESPACE = "flow-operator", "flow-system"

Object = dict[str, Any]
Values = Mapping[str, Any]


class HelmError(RuntimeError):
    """Helm said no; the message is what it wrote to stderr."""


def run_helm(*arguments: str | Path, major: int = 4, values: Values | None = None, **environment: str) -> str:
    """What Helm prints. It keeps nothing between two calls, and sees no KUBECONFIG of the person."""
    command = [program(f"helm{major}"), *arguments, *(["--values", "-"] if values is not None else [])]
    given = None if values is None else json.dumps(values)
    places = {f"HELM_{each}_HOME": "/nonexistent" for each in ("CACHE", "CONFIG", "DATA")}
    places["KUBECACHEDIR"] = "/dev/null"  # else it is kept in the working directory, for want of a home
    done = subprocess.run(
        command, input=given, env=places | environment, capture_output=True, text=True, check=False, timeout=240
    )
    if done.returncode:
        raise HelmError(done.stderr.strip())
    return done.stdout


def rendered(values: Values | None = None, *, namespace: str = NAMESPACE, major: int = 4) -> list[Object]:
    """Every object of the chart with these values, as a release in a namespace."""
    return [each for each in yaml.safe_load_all(_text(json.dumps(values or {}), namespace, major)) if each]


@cache
def _text(values: str, namespace: str, major: int) -> str:
    # A Helm that was built from source takes a cluster that it cannot see for one of years ago.
    where = ("--namespace", namespace, "--kube-version", "1.36.3")
    return run_helm("template", RELEASE, CHART, *where, major=major, values=json.loads(values))
