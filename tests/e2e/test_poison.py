"""Objects that would kill an operator which is not prepared for them: it lives, at every restart again, and goes on."""

import sys

import pytest
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

DEPTH = 3000
"""18 KB. Python's own limit is 1,000, the API server's is 10,000."""


@pytest.fixture(autouse=True)
def _deep() -> None:
    """The tests read these objects, too: in answers and in the audit log."""
    sys.setrecursionlimit(20_000)


def nested(kind: str, name: str, spec: str) -> str:
    """An object as text: not even writing it is possible otherwise."""
    metadata = f'"metadata": {{"name": "{name}"}}'
    deep = "[" * DEPTH + "]" * DEPTH
    return f'{{"apiVersion": "flow.unistack.org/v1alpha1", "kind": "{kind}", {metadata}, "spec": {spec % deep}}}'


def test_objects_nested_too_deep_hurt_only_themselves(shop: Shop, sagas: Sagas) -> None:
    shop.define(sagas.chain("order", "Stock.Reserve"))
    step = '{"id": "a", "endpoint": {"url": "http://x/"}, "input": {"body": %s}}'
    shop.kubectl("create", "-f", "-", stdin=nested("Workflow", "deep", f'{{"steps": [{step}]}}'))
    shop.kubectl("create", "-f", "-", stdin=nested("Step", "deep", '{"endpoint": {"url": "http://x/"}, "output": %s}'))
    body = '{"workflowRef": {"name": "%s"}, "input": {"body": %%s}}'
    shop.kubectl("create", "-f", "-", stdin=nested("WorkflowExecution", "deep-1", body % "deep"))
    shop.kubectl("create", "-f", "-", stdin=nested("WorkflowExecution", "deep-2", body % "order"))

    for name in ("before", "after"):
        shop.start("order", name)
        assert shop.until_ended(name)["phase"] == "Success"
        shop.operator.crash()

    shop.until_ready("workflows", "deep", "False")
    told = {name: shop.status(name).get("reason") for name in ("deep-1", "deep-2")}
    assert told["deep-2"] == "InvalidInput"
    assert told["deep-1"] in ("WorkflowNotReady", "InvalidInput")
    assert not shop.calls("deep-1")
    assert not shop.calls("deep-2")
