"""One namespace does its worst, and another that shares the operator with it does not notice."""

import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from examples.order.services import Did, Mode, OrderServices
from tests.controlplane import ControlPlane, eventually
from tests.controlplane.process import Tether
from tests.e2e.audit import history
from tests.e2e.kube import ApiError, Kube, Object
from tests.e2e.sagas import Sagas, workflow
from tests.e2e.shop import WITHIN, Shop
from tests.e2e.tenants import (
    Tenants,
    called,
    calls,
    in_flight,
    opened,
    perhaps_applied,
    refused,
    statuses,
    until_all_ended,
)

from flow_operator.engine.fairness import may_take

pytestmark = pytest.mark.e2e

SILENT = "Payments.Charge"
GREEDY_RUNS = 200
ORDINARY_RUNS = 20
REFUSED_RUNS = 5
HOST_CONCURRENCY = 10
SHARE = next(held for held in range(HOST_CONCURRENCY) if not may_take(held, HOST_CONCURRENCY - held))
"""How many calls a namespace may have in flight at a host that nobody else calls."""
RETRIED = 9
PAUSE = timedelta(milliseconds=50)


@pytest.fixture
def tenants(
    control_plane: ControlPlane, kube: Kube, namespace: str, services: OrderServices, tether: Tether, tmp_path: Path
) -> Iterator[Tenants]:
    """Two namespaces, and no operator yet."""
    with opened(control_plane, kube, namespace, services, tmp_path, tether.group) as both:
        yield both


def start(shop: Shop, name: str, number: int) -> set[str]:
    """Start so many runs of a workflow; their names."""
    return {shop.start(name, f"{name}-{each}") for each in range(number)}


def until_served(shop: Shop) -> None:
    """An ordinary tenant starts its runs, and all of them succeed."""
    ended = until_all_ended(shop, start(shop, "ordinary", ORDINARY_RUNS))
    assert {status["phase"] for status in ended.values()} == {"Success"}


def until_busy(shop: Shop, times: int) -> set[str]:
    """Wait until so many calls have arrived, and the statuses of the runs tell of just those; the runs in flight."""
    eventually(lambda: len(calls(shop)) >= times, within=WITHIN, what=f"{times} calls of {shop.namespace}")
    eventually(
        lambda: in_flight(shop) == called(shop), within=WITHIN, what="statuses and journals of one mind", every=0.2
    )
    return in_flight(shop)


def assert_none_was_begun(shop: Shop, names: set[str]) -> None:
    """No call of these runs was ever begun."""
    found = statuses(shop)
    steps = [step for name in names for step in found[name].get("steps", ())]
    assert {(step["phase"], step.get("attempts", 0), step.get("effect", "None")) for step in steps} <= {
        ("Pending", 0, "None")
    }


def end_and_start_again(tenants: Tenants, how: signal.Signals) -> None:
    """The operator is drained or killed, and another takes its place."""
    if how is signal.SIGKILL:
        tenants.operator.kill()
    else:
        tenants.operator.ask_to_end()
        assert tenants.operator.wait(30) == 0
    tenants.operator.start()


@pytest.mark.fault(
    "200 runs of a namespace call a service that never answers; the operator is drained, and the next one killed",
    "Other namespaces do not notice; what waited for a slot was never sent, is not Unknown, and is not undone",
)
@pytest.mark.timeout(180)
def test_runs_on_a_host_that_never_answers_harm_nobody(tenants: Tenants, sagas: Sagas) -> None:
    greedy, ordinary = tenants.greedy, tenants.ordinary
    tenants.hire(FLOW_HOST_CONCURRENCY=str(HOST_CONCURRENCY), FLOW_RUN_CONCURRENCY="20")
    greedy.behave(SILENT, Mode.HOLD)
    greedy.define(workflow("greedy", sagas.step("a", SILENT, timeout={"request": "1h"})))
    ordinary.define(sagas.chain("ordinary", "Stock.Reserve", "Courier.Ship"))

    names = start(greedy, "greedy", GREEDY_RUNS)
    until_served(ordinary)
    sent = until_busy(greedy, times=SHARE)
    assert len(sent) == SHARE
    assert_none_was_begun(greedy, names - sent)

    for before, how in enumerate((signal.SIGTERM, signal.SIGKILL), start=1):
        end_and_start_again(tenants, how)
        sent = until_busy(greedy, times=(before + 1) * SHARE)
        assert_none_was_begun(greedy, names - sent)

    for name in names:
        greedy.command(name, "abort")
    ended = until_all_ended(greedy, names - sent, within=60)
    greedy.works_again(SILENT)
    ended |= until_all_ended(greedy, sent)
    assert {status["phase"] for status in ended.values()} == {"Aborted"}
    assert {name for name, status in ended.items() if perhaps_applied(status)} == sent
    assert (called(greedy), called(greedy, "undo")) == (sent, sent)


def quota(namespace: str) -> Sequence[Object]:
    """No ControllerRevision may be created."""
    name = "no-revisions"
    return [
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"hard": {"count/controllerrevisions.apps": "0"}},
        }
    ]


def policy(namespace: str, **validation: str) -> Sequence[Object]:
    """No status of a run may be written."""
    group = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": namespace}}
    rule = {
        "apiGroups": ["flow.unistack.org"],
        "apiVersions": ["*"],
        "operations": ["UPDATE"],
        "resources": ["workflowexecutions/status"],
    }
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    denial = {"expression": "false", "message": "not today", **validation}
    return [
        {
            **group,
            "kind": "ValidatingAdmissionPolicy",
            "spec": {"matchConstraints": {"resourceRules": [rule]}, "validations": [denial]},
        },
        {
            **group,
            "kind": "ValidatingAdmissionPolicyBinding",
            "spec": {
                "policyName": namespace,
                "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": selector},
            },
        },
    ]


OBSTACLES: dict[str, tuple[Callable[[str], Sequence[Object]], str]] = {
    "a quota lets a namespace have no ControllerRevisions": (
        quota,
        "Other namespaces do not notice; its runs wait, their writes are counted as refused, and they go on afterwards",
    ),
    "a policy forbids (403) each write of a status in a namespace": (
        lambda namespace: policy(namespace, reason="Forbidden"),
        "Other namespaces do not notice; its runs wait, their writes are counted as refused, and they go on afterwards",
    ),
    "a policy calls each write of a status in a namespace invalid (422)": (
        policy,
        "The same, and the log says it as an error: somebody has to mend it",
    ),
}


@pytest.mark.fault(OBSTACLES)
@pytest.mark.parametrize(
    "what", [pytest.param(each, marks=[pytest.mark.full] if "422" in each else []) for each in OBSTACLES]
)
def test_a_namespace_whose_runs_cannot_be_stored_holds_up_no_other(tenants: Tenants, sagas: Sagas, what: str) -> None:
    greedy, ordinary = tenants.greedy, tenants.ordinary
    operator = tenants.hire(FLOW_RUN_CONCURRENCY="5")
    tenants.bear_refusals()
    operator.expect_error("not today")
    greedy.define(sagas.chain("refused", "Stock.Reserve"))
    ordinary.define(sagas.chain("ordinary", "Stock.Reserve", "Courier.Ship"))
    obstacle = yaml.safe_dump_all(OBSTACLES[what][0](greedy.namespace))
    ordinary.cluster.kubectl("create", "-f", "-", stdin=obstacle)
    until_in_force(greedy)

    names = start(greedy, "refused", REFUSED_RUNS)
    until_served(ordinary)
    eventually(lambda: refused(operator) >= REFUSED_RUNS, within=WITHIN, what="refused writes counted")
    assert not any(status.get("startTime") for status in (statuses(greedy)[name] for name in names))
    assert calls(greedy) == []

    ordinary.cluster.kubectl("delete", "-f", "-", stdin=obstacle)
    ended = until_all_ended(greedy, names, within=90)
    assert {status["phase"] for status in ended.values()} == {"Success"}
    assert [call.did for call in calls(greedy)] == [Did.APPLIED] * REFUSED_RUNS


def until_in_force(shop: Shop) -> None:
    """Wait until the API server refuses what it is to refuse: it learns of that a moment after it is stored."""

    def refuses() -> bool:
        quotas = shop.kube.list("resourcequotas", shop.namespace)
        if quotas:
            return all("hard" in each.get("status", {}) for each in quotas)
        try:
            shop.kube.patch("workflowexecutions", shop.namespace, "probe", {"status": {}}, "/status?dryRun=All")
        except ApiError as error:
            return "not today" in str(error)
        return False

    shop.start("nowhere", "probe")
    eventually(refuses, within=WITHIN, what="what was created in force")


@pytest.mark.fault(
    "a service is not available, and the step is to be tried again after 50 ms each time",
    "It is, neither sooner nor with more than one write for each attempt",
)
def test_retries_after_50_ms_are_just_that(shop: Shop, sagas: Sagas, capsys: pytest.CaptureFixture[str]) -> None:
    retry = {"limit": RETRIED, "backoff": {"duration": "50ms", "factor": 1, "jitter": 0}}
    shop.define(workflow("eager", sagas.step("a", "Fraud.Check", retry=retry)))
    shop.behave("Fraud.Check", Mode.UNAVAILABLE)

    assert shop.until_phase(shop.start("eager"), "Failure")["reason"] == "RetriesExhausted"

    times = [datetime.fromisoformat(call.time) for call in shop.calls("run")]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    told = ", ".join(f"{pause / timedelta(milliseconds=1):.0f}" for pause in pauses)
    with capsys.disabled():
        print(f"\nretries after 50 ms: from call to call {told} ms")
    assert len(times) == RETRIED + 1
    assert min(pauses) >= PAUSE
    attempts = [write.call("a", "do").get("attempts", 0) for write in history(shop, "run").writes]
    assert attempts == [*range(1, RETRIED + 2), RETRIED + 1]
