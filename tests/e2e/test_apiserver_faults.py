"""The API server misbehaves while runs are under way: they end as they would have, and nothing is done twice.

A proxy before it brings the faults about. Whatever the operator has to bear, its log has nothing worse than warnings.
"""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

import pytest
from examples.order.services import Did, Mode
from tests.controlplane import ControlPlane, eventually
from tests.e2e.audit import code, requests
from tests.e2e.kube import Kube, Object
from tests.e2e.pairs import create, end_as_ever, start
from tests.e2e.proxied_shop import ProxiedShop
from tests.e2e.proxy import Fault, Passing, Rule, cut, expire, hang, lose_answer, refuse, slow
from tests.e2e.relay import SHORT_LEASE
from tests.e2e.role import ACCOUNT, may_write_statuses, new_token
from tests.e2e.sagas import Sagas, workflow
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e


def of_a_status(passing: Passing) -> bool:
    """The write of a status of a run."""
    return passing.resource == "workflowexecutions" and passing.is_status


def of_a_run(passing: Passing) -> bool:
    """Anything about one run."""
    return passing.resource == "workflowexecutions" and passing.name != ""


def of_anything(_: Passing) -> bool:
    """Whatever the operator asks for, watches and its lease included."""
    return True


def of_a_watch(passing: Passing) -> bool:
    """A watch of any kind."""
    return passing.is_watch


def renews_the_lease(passing: Passing) -> bool:
    """A write of a lease."""
    return passing.resource == "leases" and passing.is_write


@pytest.fixture
def busy(proxied_shop: ProxiedShop, sagas: Sagas) -> ProxiedShop:
    """An operator behind proxies, and two workflows: the runs of one succeed, those of the other fail at the end."""
    create(proxied_shop.shop, sagas)
    return proxied_shop


FAULTS: dict[str, tuple[Callable[[], Rule], str]] = {
    "the reply to every other write of a status is lost": (
        lambda: Rule(of_a_status, lose_answer, every=2),
        "The run is read to find out whether it was stored; calls are sent once",
    ),
    "every other write of a status is answered 409": (
        lambda: Rule(of_a_status, refuse(HTTPStatus.CONFLICT), every=2),
        "The run is read, planned again and written again",
    ),
    "every other request about runs is answered 429 with Retry-After": (
        lambda: Rule(of_a_run, refuse(HTTPStatus.TOO_MANY_REQUESTS, 1), every=2, times=20),
        "It is made again when that time has passed",
    ),
    "every third request about runs is answered 500": (
        lambda: Rule(of_a_run, refuse(HTTPStatus.INTERNAL_SERVER_ERROR), every=3),
        "The run is read until that succeeds, and goes on",
    ),
    "forty requests of any kind are answered 503": (
        lambda: Rule(of_anything, refuse(HTTPStatus.SERVICE_UNAVAILABLE), every=2, times=40),
        "It is made again with growing pauses; watches begin anew",
    ),
    "answers to writes are slow": (
        lambda: Rule(of_a_status, slow(0.7)),
        "Runs go on as fast as they are answered; results that come meanwhile share a write",
    ),
    "watches are cut as soon as they say something": (
        lambda: Rule(of_a_watch, cut, times=30),
        "They begin anew, and what was missed is listed",
    ),
    "watches are answered 410 within the stream": (
        lambda: Rule(of_a_watch, expire, times=10),
        "They begin anew, and what was missed is listed",
    ),
}


@pytest.mark.fault(FAULTS)
@pytest.mark.parametrize("what", FAULTS)
def test_runs_end_as_ever_although(busy: ProxiedShop, what: str) -> None:
    busy.hire()
    rule = FAULTS[what][0]()
    busy.api.rules = [rule]
    busy.api.cut_streams()

    end_as_ever(busy.shop, start(busy.shop))

    assert rule.applied > 0
    busy.api.rules = []


LEASE_FAULTS: dict[str, tuple[Fault, str]] = {
    "renewals of the lease are answered 403": (
        refuse(HTTPStatus.FORBIDDEN),
        "The operator ceases to act while the lease is still its own, and goes on when it has it again",
    ),
    "renewals of the lease are answered 404": (
        refuse(HTTPStatus.NOT_FOUND),
        "The operator ceases to act while the lease is still its own, and goes on when it has it again",
    ),
    "renewals of the lease are not answered": (
        hang,
        "The operator ceases to act while the lease is still its own, and goes on when it has it again",
    ),
}


@pytest.mark.fault(LEASE_FAULTS)
@pytest.mark.parametrize("what", LEASE_FAULTS)
def test_it_ceases_to_act_when(busy: ProxiedShop, what: str) -> None:
    shop = busy.shop
    operator = busy.hire(**SHORT_LEASE)
    shop.behave("Payments.Charge", Mode.HOLD)
    runs = start(shop)
    shop.until_called("good-0", "b")

    busy.api.rules = [Rule(renews_the_lease, LEASE_FAULTS[what][0])]
    eventually(
        lambda: "not held by one any more" in operator.log.read_text(), within=15, what="the operator standing by"
    )
    shop.works_again("Payments.Charge")
    busy.api.rules = []

    end_as_ever(shop, runs)


@pytest.mark.fault(
    "a run is deleted, and another of its name created, while no watch stands; then the watch is told 410",
    "The list tells: the deleted one is forgotten, the other one runs",
)
def test_what_was_deleted_in_a_gap_is_forgotten(busy: ProxiedShop, sagas: Sagas) -> None:
    shop = busy.shop
    operator = busy.hire()
    patient = sagas.step("a", "Fraud.Check", retry={"limit": 3, "backoff": {"duration": "1h", "cap": "1h"}})
    shop.define(workflow("patient", patient))
    shop.behave("Fraud.Check", Mode.UNAVAILABLE)
    for run in ("stays", "goes", "changes"):
        shop.start("patient", run)
        shop.until_step(run, "a", lambda step: "nextAttemptTime" in step, "backing off")
    waiting = 'flow_runs{{namespace="{}",phase="Running",workflow="patient"}} {:.1f}'.format
    operator.until_metric(waiting(shop.namespace, 3))
    former = shop.object("changes")["metadata"]["uid"]

    busy.api.rules = [Rule(of_a_watch, refuse(HTTPStatus.SERVICE_UNAVAILABLE))]
    busy.api.cut_streams()
    for run in ("goes", "changes"):
        shop.kube.delete("workflowexecutions", shop.namespace, run)
    shop.works_again("Fraud.Check")
    shop.start("patient", "changes")
    busy.api.rules = [Rule(of_a_watch, expire, times=3)]

    assert shop.until_ended("changes")["phase"] == "Success"
    operator.until_metric(waiting(shop.namespace, 1))
    assert [call.did for call in shop.calls("goes")] == [Did.FAILED]
    uids = [call.key.partition("/")[0] for call in shop.calls("changes")]
    assert uids == [former, shop.object("changes")["metadata"]["uid"]]


@pytest.mark.fault(
    "the token is replaced, and the old one is refused from then on",
    "The new one is read at the first refusal; runs do not notice",
)
def test_credentials_are_rotated(busy: ProxiedShop, kube: Kube) -> None:
    shop = busy.shop
    busy.hire()
    shop.behave("Payments.Charge", Mode.HOLD)
    runs = start(shop)
    shop.until_called("good-0", "b")
    fresh = new_token(kube, shop.namespace)

    stale = Rule(
        lambda passing: passing.header.get("Authorization") != f"Bearer {fresh}", refuse(HTTPStatus.UNAUTHORIZED)
    )
    busy.write_kubeconfig(fresh)
    busy.api.rules = [stale]
    busy.api.cut_streams()
    shop.works_again("Payments.Charge")

    end_as_ever(shop, runs)
    assert stale.applied > 0


@pytest.mark.fault(
    "the operator's permission is taken away, and given back",
    "Runs wait, with what they know in memory, and go on when it is back",
)
def test_permission_is_taken_away_and_given_back(busy: ProxiedShop, kube: Kube) -> None:
    shop = busy.shop
    busy.hire()
    shop.refusals_are_borne = True
    shop.behave("Payments.Charge", Mode.HOLD)
    runs = start(shop)
    shop.until_called("good-0", "b")
    bindings = kube.list("rolebindings", shop.namespace)
    mine = [each for each in bindings if any(subject["name"] == ACCOUNT for subject in each["subjects"])]
    assert mine

    for binding in mine:
        kube.delete("rolebindings", shop.namespace, binding["metadata"]["name"])
    eventually(lambda: not may_write_statuses(kube, shop.account), within=10, what="the permission gone")
    busy.api.cut_streams()
    shop.works_again("Payments.Charge")
    eventually(lambda: _is_refused(shop), within=30, what="a write of a status refused")
    for binding in mine:
        kube.create(_anew(binding))

    end_as_ever(shop, runs)


def _is_refused(shop: Shop) -> bool:
    """Whether a write of a status of a run was refused."""
    return any(
        code(event) == HTTPStatus.FORBIDDEN
        and (event["verb"], event["objectRef"]["resource"]) == ("update", "workflowexecutions")
        for event in requests(shop)
    )


def _anew(binding: Object) -> Object:
    metadata = {name: binding["metadata"][name] for name in ("name", "namespace")}
    kinds = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding"}
    return {**kinds, "metadata": metadata, "subjects": binding["subjects"], "roleRef": binding["roleRef"]}


@pytest.mark.fault(
    "kube-apiserver, or etcd, is restarted or killed in the middle of 100 runs",
    "All of them end as they would have; nothing is called twice that was answered",
)
@pytest.mark.parametrize(
    ("server", "crash"),
    [
        pytest.param("apiserver", True, id="kube-apiserver killed"),
        pytest.param("apiserver", False, id="kube-apiserver restarted", marks=pytest.mark.full),
        pytest.param("etcd", True, id="etcd killed", marks=pytest.mark.full),
        pytest.param("etcd", False, id="etcd restarted"),
    ],
)
def test_restarts_in_the_middle_of_a_hundred_runs(
    busy: ProxiedShop, control_plane: ControlPlane, server: str, crash: bool
) -> None:
    shop = busy.shop
    busy.hire()
    shop.refusals_are_borne = True
    shop.behave("Payments.Charge", Mode.HOLD)
    restart = partial(
        control_plane.restart_apiserver if server == "apiserver" else control_plane.restart_etcd, crash=crash
    )
    runs = start(shop, pairs=50)
    shop.until_called("good-25", "b")

    shop.works_again("Payments.Charge")
    restart()

    end_as_ever(shop, runs, within=120)
