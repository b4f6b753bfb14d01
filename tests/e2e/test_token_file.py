"""The operator's pod gets another token while runs are under way, and the old one is refused."""

import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.controlplane import eventually
from tests.e2e.kube import ApiError, Kube
from tests.e2e.pairs import SECOND, create, end_as_ever, start_and_hold
from tests.e2e.proxied_shop import ProxiedShop
from tests.e2e.proxy import Passing, Proxy, Rule, refuse
from tests.e2e.role import new_token
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

CERTIFICATE = Path(__file__).parents[1] / "adapters" / "localhost.pem"
OPERATOR = Path(__file__).with_name("in_pod.py")
SECRET = "binds-the-first-token"


class ServiceAccountFiles:
    """What kubelet mounts: each file is a link into `..data`, itself a link, replaced when all are written anew."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        self._written = 0
        for name in ("token", "ca.crt", "namespace"):
            (directory / name).symlink_to(Path("..data") / name)

    def write(self, token: str) -> None:
        """Write all of them, with this token."""
        self._written += 1
        fresh = self.directory / f"..{self._written}"
        fresh.mkdir()
        (fresh / "token").write_text(token)
        (fresh / "ca.crt").write_text(CERTIFICATE.read_text())
        (fresh / "namespace").write_text("default")
        (self.directory / "..data_tmp").symlink_to(fresh.name)
        (self.directory / "..data_tmp").replace(self.directory / "..data")


@pytest.fixture
def door(proxied_shop: ProxiedShop) -> Iterator[Proxy]:
    """The API server with TLS, as a pod reaches it: another proxy, in front of the one that is told what to do."""
    with Proxy(lambda path: f"{proxied_shop.api.url}{path}", certificate=CERTIFICATE) as door:
        yield door
        proxied_shop.shop.close()


@pytest.mark.fault(
    "kubelet replaces the token file of the operator's pod, and the API server refuses the old token from then on",
    "The file is read again at the first refusal, and for the watches too; no run notices",
)
@pytest.mark.parametrize("by", ["a proxy", pytest.param("the API server", marks=pytest.mark.full)])
def test_the_token_of_the_pod_is_rotated(
    proxied_shop: ProxiedShop, door: Proxy, sagas: Sagas, kube: Kube, tmp_path: Path, by: str
) -> None:
    shop, files = proxied_shop.shop, ServiceAccountFiles(tmp_path / "serviceaccount")
    create(shop, sagas)
    old = _token_of_a_secret(kube, shop.namespace)
    files.write(old)
    server = urlsplit(door.url)
    operator = shop.hire(
        program=[sys.executable, "-P", OPERATOR, files.directory],  # beside the program is an operator.py
        KUBECONFIG="",
        KUBERNETES_SERVICE_HOST=str(server.hostname),
        KUBERNETES_SERVICE_PORT=str(server.port),
    )
    runs = start_and_hold(shop)

    fresh = new_token(kube, shop.namespace)
    files.write(fresh)
    refused = Rule(lambda passing: not _is_sent_with(fresh, passing), refuse(HTTPStatus.UNAUTHORIZED))
    if by == "a proxy":
        proxied_shop.api.rules = [refused]
    else:
        kube.request("DELETE", f"/api/v1/namespaces/{shop.namespace}/secrets/{SECRET}")
        eventually(lambda: _is_refused(shop, old), within=30, what="the old token refused")
    proxied_shop.api.cut_streams()
    shop.works_again(*SECOND)
    end_as_ever(shop, runs)
    shop.start("good", "later")
    end_as_ever(shop, [("good", "later")])

    operator.check()
    assert by != "a proxy" or refused.applied > 0
    assert {call.attempt for _, run in runs for call in shop.calls(run)} == {1}
    assert "Unauthorized" not in operator.log.read_text()


def _token_of_a_secret(kube: Kube, namespace: str) -> str:
    """A token of the operator's account that is good as long as there is a Secret."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}}
    made = kube.request("POST", f"/api/v1/namespaces/{namespace}/secrets", secret)
    bound = {"apiVersion": "v1", "kind": "Secret", "name": SECRET, "uid": made["metadata"]["uid"]}
    return new_token(kube, namespace, boundObjectRef=bound)


def _is_sent_with(token: str, passing: Passing) -> bool:
    return passing.header.get("Authorization") == f"Bearer {token}"


def _is_refused(shop: Shop, token: str) -> bool:
    """Whether the API server does not know the token any more, which it remembers for some seconds."""
    with Kube(shop.cluster.kubeconfig_for(token)) as stranger:
        try:
            stranger.list("steps", shop.namespace)
        except ApiError as error:
            return error.code == HTTPStatus.UNAUTHORIZED
        return False
