"""A shop whose operator reaches the API server and the services through proxies, and knows nothing of it."""

import base64
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from tests.controlplane.identity import write_kubeconfig
from tests.e2e.operator import Operator
from tests.e2e.proxy import Proxy
from tests.e2e.shop import Shop


@dataclass(frozen=True)
class ProxiedShop:
    """A shop, and what stands between its operator and the world."""

    shop: Shop
    api: Proxy
    """In front of the API server."""
    calls: Proxy
    """In front of the services."""

    def hire(self, identity: str = "one", **settings: str) -> Operator:
        """Start an operator that is surrounded."""
        return self.shop.hire(identity, FLOW_SERVICE_URL=f"{self.calls.url}/{{port}}/{{method}}", **settings)

    def write_kubeconfig(self, token: str) -> None:
        """Write the operator's kubeconfig, for the next start and for who reads it again."""
        write_kubeconfig(self.shop.kubeconfig, {"server": self.api.url}, token)


@contextmanager
def surrounded(shop: Shop, directory: Path) -> Iterator[ProxiedShop]:
    """A shop that has no operator yet; those that it gets end before the proxies do."""
    cluster = yaml.safe_load(shop.kubeconfig.read_text())["clusters"][0]["cluster"]
    tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode("ascii"))
    with Proxy(lambda path: f"{cluster['server']}{path}", tls) as api, Proxy(_service) as calls:
        proxied_shop = ProxiedShop(shop, api, calls)
        shop.kubeconfig = directory / "operator.kubeconfig"
        proxied_shop.write_kubeconfig(shop.account.token)
        try:
            yield proxied_shop
        finally:
            shop.close()


def _service(path: str) -> str:
    """Calls name the port first: /8093/Payments.Charge."""
    _, port, method = urlsplit(path).path.split("/", 2)
    return f"http://127.0.0.1:{port}/{method}"
