"""Where the API server is, and who we are: from a kubeconfig, or from what kubelet mounts."""

from pathlib import Path

import pytest
import yaml

from flow_operator.adapters.credentials import CredentialsError, load

CERTIFICATE = Path(__file__).with_name("localhost.pem")


def kubeconfig(directory: Path, user: dict[str, object], **context: str) -> dict[str, str]:
    """An environment with a kubeconfig."""
    path = directory / "config"
    cluster = {"server": "https://10.0.0.1:6443/", "certificate-authority": str(CERTIFICATE)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", **context}}],
    }
    path.write_text(yaml.safe_dump(document))
    return {"KUBECONFIG": str(path)}


def pod(directory: Path) -> Path:
    """What kubelet mounts."""
    (directory / "token").write_text("secret\n")
    (directory / "namespace").write_text("flow-system")
    (directory / "ca.crt").write_text(CERTIFICATE.read_text())
    return directory


def test_a_kubeconfig_with_a_token(tmp_path: Path) -> None:
    found = load(kubeconfig(tmp_path, {"token": "t0"}, namespace="team"))
    assert found.server == "https://10.0.0.1:6443"
    assert found.namespace == "team"
    assert found.tls is not None
    assert found.token is not None
    assert found.token.token() == "t0"


def test_a_token_that_is_refused_is_read_anew(tmp_path: Path) -> None:
    found = load(kubeconfig(tmp_path, {"token": "t0"}))
    assert found.token is not None
    kubeconfig(tmp_path, {"token": "t1"})
    assert found.token.token() == "t0"
    assert found.token.token(refused="t0") == "t1"
    assert found.token.token() == "t1"


@pytest.mark.fault(
    "the kubeconfig is gone or half written when the API server refuses its token",
    "The old token is used on, and the file read again at the next refusal",
)
@pytest.mark.parametrize("content", [None, "", "clusters: [", "apiVersion: v1"], ids=["gone", "empty", "half", "bare"])
def test_a_kubeconfig_that_is_being_replaced_is_read_at_the_next_refusal(tmp_path: Path, content: str | None) -> None:
    environ = kubeconfig(tmp_path, {"token": "t0"})
    token = load(environ).token
    assert token is not None
    path = Path(environ["KUBECONFIG"])
    path.unlink()
    if content is not None:
        path.write_text(content)

    assert token.token(refused="t0") == "t0"

    kubeconfig(tmp_path, {"token": "t1"})
    assert token.token(refused="t0") == "t1"


def test_a_kubeconfig_with_a_client_certificate(tmp_path: Path) -> None:
    found = load(kubeconfig(tmp_path, {"client-certificate": str(CERTIFICATE), "client-key": str(CERTIFICATE)}))
    assert found.token is None
    assert found.namespace == "default"


def test_the_kubeconfig_is_preferred_to_the_pod(tmp_path: Path) -> None:
    environ = kubeconfig(tmp_path, {"token": "t0"}) | {
        "KUBERNETES_SERVICE_HOST": "10.1.1.1",
        "KUBERNETES_SERVICE_PORT": "443",
    }
    assert load(environ, pod(tmp_path)).server == "https://10.0.0.1:6443"


@pytest.mark.parametrize(
    ("host", "server"), [("10.1.1.1", "https://10.1.1.1:443"), ("fd00::1", "https://[fd00::1]:443")]
)
def test_a_pod(tmp_path: Path, host: str, server: str) -> None:
    found = load({"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443"}, pod(tmp_path))
    assert found.server == server
    assert found.namespace == "flow-system"
    assert found.token is not None
    assert found.token.token() == "secret"


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "config"), ("{}", "config"), ("a: [", "config"), (None, "config")],
)
def test_a_kubeconfig_that_cannot_be_used_is_told_in_one_line(tmp_path: Path, content: str | None, told: str) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CredentialsError, match=told):
        load({"KUBECONFIG": str(path)})


def test_basic_authentication_is_no_more(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="bearer"):
        load(kubeconfig(tmp_path, {"username": "a", "password": "b"}))


def test_certificates_that_are_none(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")
    with pytest.raises(CredentialsError, match="certificates"):
        load(kubeconfig(tmp_path, {"client-certificate": str(broken), "client-key": str(broken)}))


def test_neither() -> None:
    with pytest.raises(CredentialsError, match="no KUBECONFIG is set"):
        load({})


def test_a_pod_without_a_service_account(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="no usable service account"):
        load({"KUBERNETES_SERVICE_HOST": "10.1.1.1", "KUBERNETES_SERVICE_PORT": "443"}, tmp_path)
