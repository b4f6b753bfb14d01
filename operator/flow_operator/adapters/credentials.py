"""How to reach the API server: the kubeconfig of KUBECONFIG, else what kubelet puts into a pod."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from yaml import YAMLError

from flow_operator.adapters import clock
from flow_operator.adapters.bearer import TokenFile, TokenSource
from flow_operator.adapters.plugins import PLUGIN_SECONDS, limit_plugins

log = logging.getLogger(__name__)

POD_DIRECTORY = Path("/var/run/secrets/kubernetes.io/serviceaccount")
DEFAULT_NAMESPACE = "default"
ASK_SECONDS = 30.0


class CredentialsError(Exception):
    """The API server cannot be reached with what there is."""


@dataclass(frozen=True)
class Credentials:
    """Where the API server is, and who we are."""

    server: str
    tls: ssl.SSLContext | None
    token: TokenSource | None
    namespace: str
    """The namespace we are in."""


def load(environ: Mapping[str, str], pod: Path = POD_DIRECTORY) -> Credentials:
    """The credentials of this process. Raises CredentialsError."""
    if path := environ.get("KUBECONFIG"):
        return _from_kubeconfig(path)
    try:
        return _from_pod(environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"], pod)
    except KeyError:
        raise CredentialsError("no KUBECONFIG is set, and this is no pod: which cluster is meant?") from None
    except OSError as error:
        raise CredentialsError(f"this pod has no usable service account: {error}") from error


def _from_pod(host: str, port: str, pod: Path) -> Credentials:
    token = TokenFile(pod / "token")
    token.read()  # a pod without a token is told so at once
    return Credentials(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        tls=ssl.create_default_context(cafile=str(pod / "ca.crt")),
        token=token,
        namespace=(pod / "namespace").read_text(encoding="utf-8").strip() or DEFAULT_NAMESPACE,
    )


def _from_kubeconfig(path: str) -> Credentials:
    configuration, namespace = _configured(path)
    try:
        tls = _tls(configuration) if configuration.host.startswith("https:") else None
    except (OSError, ssl.SSLError) as error:
        raise CredentialsError(f"the certificates of {path} cannot be used: {error}") from error
    token = _bearer_token(path, configuration)
    return Credentials(
        server=configuration.host,
        tls=tls,
        token=KubeconfigToken(path, configuration, token) if token else None,
        namespace=namespace or DEFAULT_NAMESPACE,
    )


class KubeconfigToken:
    """The token of a kubeconfig, as its plugin renews it; read anew when the API server does not take it any more.

    A plugin may take its time, so it runs in a thread of its own, and only requests whose token was refused wait for
    it; all others go on with the token that there is. Being asked costs something even where there is no plugin (the
    library goes through the whole environment), so it is asked now and then only.
    """

    def __init__(
        self,
        path: str,
        configuration: Any,
        token: str,
        *,
        patience: float = PLUGIN_SECONDS,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        """`patience`: for how many seconds a request whose token was refused waits for another."""
        self._path = path
        self._configuration = configuration
        """Once there is a thread, that thread's."""
        self._token = token
        self._patience = patience
        self._monotonic = monotonic
        self._asked_at = monotonic()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kubeconfig")
        self._renewal: asyncio.Future[str | None] | None = None
        """The one that is under way: never two at a time."""

    async def token(self, *, refused: str | None = None) -> str:
        """The token; if `refused` is the one that is remembered, another as soon as there is one."""
        if refused == self._token:
            await self._renewed()  # one that was begun before may bring it
            if refused == self._token:
                self._renew(anew=True)
                await self._renewed()
        elif self._monotonic() - self._asked_at >= ASK_SECONDS:
            self._renew(anew=False)
        return self._token

    def _renew(self, *, anew: bool) -> None:
        if self._renewal is None:
            self._asked_at = self._monotonic()
            self._renewal = asyncio.get_running_loop().run_in_executor(self._thread, self._ask, anew)
            self._renewal.add_done_callback(self._keep)

    async def _renewed(self) -> None:
        if self._renewal is not None:
            await asyncio.wait((self._renewal,), timeout=self._patience)

    def _keep(self, renewal: asyncio.Future[str | None]) -> None:
        self._renewal = None
        if renewal.cancelled():
            return
        if (error := renewal.exception()) is None:
            self._token = renewal.result() or self._token
        else:
            log.error("the token of %s is not renewed: %s", self._path, error)

    def _ask(self, anew: bool) -> str | None:
        """The token, None if there is none at the moment. Runs in the thread."""
        configuration = self._configuration
        if anew:
            with suppress(CredentialsError):  # it is being replaced, perhaps: the next refusal reads it again
                configuration, _ = _configured(self._path)
        token = _bearer_token(self._path, configuration)
        if token is not None:
            self._configuration = configuration
        return token


def _bearer_token(path: str, configuration: Any) -> str | None:
    header = configuration.get_api_key_with_prefix("BearerToken", "authorization")
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer":
        raise CredentialsError(f"{path}: only bearer tokens and client certificates are supported")
    return str(token)


def _configured(path: str) -> tuple[Any, str | None]:
    # Imported only here: a pod does not need it, and it costs memory.
    kubeconfig: Any = import_module("kubernetes.config")
    configuration = import_module("kubernetes.client").Configuration()
    limit_plugins()
    try:
        kubeconfig.load_kube_config(config_file=path, client_configuration=configuration)
        _, context = kubeconfig.list_kube_config_contexts(config_file=path)
    except (kubeconfig.ConfigException, OSError, ValueError, YAMLError) as error:
        raise CredentialsError(f"KUBECONFIG {path}: {error}") from error
    return configuration, context["context"].get("namespace")


def _tls(configuration: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
