"""How to reach the API server: the kubeconfig of KUBECONFIG, else what kubelet puts into a pod."""

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from yaml import YAMLError

from flow_operator.adapters import clock
from flow_operator.adapters.bearer import TokenFile, TokenSource

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
    token.token()  # a pod without a token is told so at once
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
    token = KubeconfigToken(path, configuration)
    return Credentials(
        server=configuration.host,
        tls=tls,
        token=token if token.token() else None,
        namespace=namespace or DEFAULT_NAMESPACE,
    )


class KubeconfigToken:
    """The token of a kubeconfig, as its plugin renews it; read anew when the API server does not take it any more.

    The library goes through the whole environment each time that it is asked, so it is asked now and then only.
    """

    def __init__(self, path: str, configuration: Any, monotonic: Callable[[], float] = clock.monotonic) -> None:
        self._path = path
        self._configuration = configuration
        self._monotonic = monotonic
        self._token: str | None = None
        self._asked_at = float("-inf")

    def token(self, *, refused: str | None = None) -> str | None:
        """The token, None if there is none."""
        if refused is not None and refused == self._token:
            with suppress(CredentialsError):  # it is being replaced, perhaps: the next refusal reads it again
                self._configuration, _ = _configured(self._path)
            self._asked_at = float("-inf")
        if self._monotonic() - self._asked_at >= ASK_SECONDS:
            self._asked_at = self._monotonic()
            self._token = self._ask()
        return self._token

    def _ask(self) -> str | None:
        header = self._configuration.get_api_key_with_prefix("BearerToken", "authorization")
        if not header:
            return None
        scheme, _, token = header.partition(" ")
        if scheme != "Bearer":
            raise CredentialsError(f"{self._path}: only bearer tokens and client certificates are supported")
        return str(token)


def _configured(path: str) -> tuple[Any, str | None]:
    # Imported only here: a pod does not need it, and it costs memory.
    kubeconfig: Any = import_module("kubernetes.config")
    configuration = import_module("kubernetes.client").Configuration()
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
