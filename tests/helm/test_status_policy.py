"""The policy that lets only the operator write a status, on the real API server."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import pytest
from tests.controlplane import ControlPlane, eventually, existing_kubeconfig
from tests.e2e.kube import FLOW, ApiError, Kube
from tests.e2e.role import ACCOUNT, documents
from tests.e2e.sagas import run_of, step, workflow
from tests.helm.chart import NAMESPACE, Values, rendered

pytestmark = pytest.mark.e2e

OBJECTS = {"steps": "reserve", "workflows": "order", "workflowexecutions": "run"}
MEDDLER, WRITER = "meddler", "writer"
"""Both are cluster administrators by RBAC; the policy names the second."""
WRITERS: Values = {"writers": [f"system:serviceaccount:default:{WRITER}"]}

ENDPOINT = {"url": "http://stock.shop.svc/reserve"}
RESERVE = {"id": "reserve", "stepRef": {"name": "reserve"}}

Users = Mapping[str, Kube]
Write = Callable[[Kube, str, str], object]


def patched(user: Kube, plural: str, namespace: str) -> object:
    return user.patch(plural, namespace, OBJECTS[plural], {"status": {"observedGeneration": 1}}, "/status")


def updated(user: Kube, plural: str, namespace: str) -> object:
    document = user.get(plural, namespace, OBJECTS[plural])
    path = f"{FLOW}/namespaces/{namespace}/{plural}/{OBJECTS[plural]}/status"
    return user.request("PUT", path, document)


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane with the operator's account, one of each kind in two namespaces, and no policy yet."""
    if existing_kubeconfig():
        pytest.skip("needs a control plane of the project's own, not the cluster of FLOW_TEST_KUBECONFIG")
    with ControlPlane() as control_plane, Kube(control_plane.kubeconfig) as admin:
        for namespace in (NAMESPACE, "shop", "billing"):
            control_plane.kubectl("create", "namespace", namespace)
        for document in documents(NAMESPACE, watched=()):
            admin.create(document)
        for name in (MEDDLER, WRITER):
            control_plane.kubectl("create", "serviceaccount", name)
            control_plane.kubectl(
                "create", "clusterrolebinding", name, "--clusterrole=cluster-admin", f"--serviceaccount=default:{name}"
            )
        for namespace in ("shop", "billing"):
            for document in (step("reserve", endpoint=ENDPOINT), workflow("order", RESERVE), run_of("order", "run")):
                admin.create(document, namespace)
        yield control_plane


@pytest.fixture(scope="module")
def users(plane: ControlPlane) -> Iterator[Users]:
    """Who might write a status, by name."""
    accounts = {ACCOUNT: NAMESPACE, MEDDLER: "default", WRITER: "default"}
    tokens = {name: plane.service_account_token(namespace, name) for name, namespace in accounts.items()}
    with ExitStack() as stack:
        opened = {name: stack.enter_context(Kube(plane.kubeconfig_for(token))) for name, token in tokens.items()}
        yield opened | {"system:masters": stack.enter_context(Kube(plane.kubeconfig))}


@contextmanager
def in_force(plane: ControlPlane, users: Users, values: Values) -> Iterator[None]:
    """The policy as the chart has it with these values."""
    values = {**values, "statusPolicy": {"enabled": True, **values.get("statusPolicy", {})}}
    objects = [each for each in rendered(values) if each["metadata"]["name"] == "flow-operator-status"]
    manifest = "\n---\n".join(map(json.dumps, objects))
    plane.kubectl("create", "-f", "-", stdin=manifest)
    eventually(lambda: not taken(users[MEDDLER], patched, "steps", "shop"), within=20, what="the policy in force")
    yield
    plane.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=manifest)
    until_gone(users)


def until_gone(users: Users) -> None:
    """Wait until the policy is not in force any more."""
    eventually(lambda: taken(users[MEDDLER], patched, "steps", "shop"), within=20, what="the policy gone")


def taken(user: Kube, write: Write, plural: str, namespace: str) -> bool:
    """Whether the API server takes a status of this user; if not, because of the policy."""
    try:
        write(user, plural, namespace)
    except ApiError as error:
        if "Only the operator may write a status" in str(error):
            return False
        raise
    return True


@pytest.mark.parametrize("write", [patched, updated])
def test_no_right_is_enough_to_write_a_status(plane: ControlPlane, users: Users, write: Write) -> None:
    with in_force(plane, users, {"statusPolicy": WRITERS}):
        for plural in OBJECTS:
            assert not taken(users[MEDDLER], write, plural, "shop")
            assert not taken(users[MEDDLER], write, plural, "billing")
            assert taken(users[WRITER], write, plural, "shop")
            assert taken(users["system:masters"], write, plural, "shop")


def test_the_operator_may_and_what_is_not_status_is_left_alone(plane: ControlPlane, users: Users) -> None:
    with in_force(plane, users, {}):
        for plural in OBJECTS:
            assert taken(users[ACCOUNT], updated, plural, "shop")
        users[MEDDLER].patch("workflowexecutions", "shop", "run", {"spec": {"suspend": True}})


def test_other_namespaces_than_those_of_the_operator_are_left_alone(plane: ControlPlane, users: Users) -> None:
    with in_force(plane, users, {"settings": {"namespaces": ["shop"]}}):
        assert taken(users[MEDDLER], patched, "workflowexecutions", "billing")


def test_in_need_an_administrator_takes_the_binding_away(plane: ControlPlane, users: Users) -> None:
    with in_force(plane, users, {}):
        plane.kubectl("delete", "validatingadmissionpolicybinding", "flow-operator-status")
        until_gone(users)
