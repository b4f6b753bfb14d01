"""The policy that caps the depth of an input, on the real API server."""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.controlplane import ControlPlane, eventually, existing_kubeconfig
from tests.e2e.kube import ApiError, Kube
from tests.e2e.sagas import run_of
from tests.helm.chart import rendered

pytestmark = pytest.mark.e2e

LEVELS = 64
NASTY = ("]", "[", "}", "{", '"', "\\", '\\"', '\\\\"]', '\n"]', "'", '", ["', "\u0000", "\u202e", "\U0001f600]")
"""Texts that look like the end or the beginning of a level."""

Shape = Callable[[Any, str], Any]
SHAPES: dict[str, Shape] = {
    "lists": lambda inner, _: [inner],
    "objects": lambda inner, _: {"a": inner},
    "lists with texts": lambda inner, text: [text, inner, text],
    "objects with texts": lambda inner, text: {text: text, "a": inner, f"z{text}": 1.5},
    "members of every type": lambda inner, _: [0, -1e300, True, None, inner],
}


def nested(levels: int, shape: Shape, text: str = "", inner: Any = "end") -> Any:
    """So many levels."""
    for _ in range(levels):
        inner = shape(inner, text)
    return inner


@pytest.fixture(scope="module")
def guarded() -> Iterator[Kube]:
    """The administrator of a control plane that has the policy, and nothing else of the chart."""
    if existing_kubeconfig():
        pytest.skip("needs a control plane of the project's own, not the cluster of FLOW_TEST_KUBECONFIG")
    policy = [each for each in rendered() if each["kind"].startswith("ValidatingAdmission")]
    with ControlPlane() as control_plane, Kube(control_plane.kubeconfig) as kube:
        control_plane.kubectl("create", "-f", "-", stdin="\n---\n".join(map(json.dumps, policy)))
        deep = nested(LEVELS + 1, SHAPES["lists"])
        eventually(lambda: not admitted(kube, deep), within=20, what="the policy in force")
        yield kube


def admitted(kube: Kube, body: Any) -> bool:
    """Whether a run with this body would be created."""
    document = run_of("order", "run", input={"header": {"x-tenant": "[acme"}, "body": body})
    path = "/apis/flow.unistack.org/v1alpha1/namespaces/default/workflowexecutions?dryRun=All"
    try:
        kube.request("POST", path, document)
    except ApiError as error:
        if "spec.input is nested too deeply" in str(error):
            return False
        raise
    return True


@pytest.mark.parametrize("shape", SHAPES)
def test_as_many_levels_as_the_operator_takes_and_no_more(guarded: Kube, shape: str) -> None:
    for text in NASTY:
        assert admitted(guarded, nested(LEVELS, SHAPES[shape], text)), text
        assert not admitted(guarded, nested(LEVELS + 1, SHAPES[shape], text)), text


def test_an_object_that_would_kill_a_parser_is_refused(guarded: Kube) -> None:
    before = sys.getrecursionlimit()  # Python's own JSON does not go that deep
    sys.setrecursionlimit(20_000)
    try:
        assert not admitted(guarded, nested(3000, SHAPES["lists"]))
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.parametrize(
    "body",
    [None, "text", "[" * 1000, 1.5, True, [], {}, [0] * 40_000, [{"a": 1}] * 10_000, {str(n): n for n in range(9000)}],
    ids=lambda body: str(body)[:20],
)
def test_wide_and_plain_inputs_pass(guarded: Kube, body: Any) -> None:
    assert admitted(guarded, body)


def test_a_run_without_input_passes(guarded: Kube) -> None:
    assert guarded.create(run_of("order", "plain"), "default")
