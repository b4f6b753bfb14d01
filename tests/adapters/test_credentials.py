"""Where the API server is, and who we are: from a kubeconfig, or from what kubelet mounts."""

import asyncio
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.adapters.test_bearer import Time, put

from flow_operator.adapters import plugins
from flow_operator.adapters.credentials import ASK_SECONDS, CredentialsError, KubeconfigToken, load

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


async def test_a_kubeconfig_with_a_token(tmp_path: Path) -> None:
    found = load(kubeconfig(tmp_path, {"token": "t0"}, namespace="team"))
    assert found.server == "https://10.0.0.1:6443"
    assert found.namespace == "team"
    assert found.tls is not None
    assert found.token is not None
    assert await found.token.token() == "t0"


async def test_a_token_that_is_refused_is_read_anew(tmp_path: Path) -> None:
    found = load(kubeconfig(tmp_path, {"token": "t0"}))
    assert found.token is not None
    kubeconfig(tmp_path, {"token": "t1"})
    assert await found.token.token() == "t0"
    assert await found.token.token(refused="t0") == "t1"
    assert await found.token.token() == "t1"


@pytest.mark.fault(
    "the kubeconfig is gone or half written when the API server refuses its token",
    "The old token is used on, and the file read again at the next refusal",
)
@pytest.mark.parametrize("content", [None, "", "clusters: [", "apiVersion: v1"], ids=["gone", "empty", "half", "bare"])
async def test_a_kubeconfig_that_is_being_replaced_is_read_at_the_next_refusal(
    tmp_path: Path, content: str | None
) -> None:
    environ = kubeconfig(tmp_path, {"token": "t0"})
    token = load(environ).token
    assert token is not None
    put(Path(environ["KUBECONFIG"]), content)

    assert await token.token(refused="t0") == "t0"

    kubeconfig(tmp_path, {"token": "t1"})
    assert await token.token(refused="t0") == "t1"


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
async def test_a_pod(tmp_path: Path, host: str, server: str) -> None:
    found = load({"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443"}, pod(tmp_path))
    assert found.server == server
    assert found.namespace == "flow-system"
    assert found.token is not None
    assert await found.token.token() == "secret"


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


PLUGIN = """#!/bin/sh
echo run >> {directory}/runs
while [ ! -e {directory}/go ]; do sleep 0.02; done
printf '{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",'
printf '"status": {{"expirationTimestamp": "2020-01-01T00:00:00Z", "token": "%s"}}}}' "$(cat {directory}/go)"
"""


class PluginStage:
    """A kubeconfig with a plugin, which waits for a file `go` and gives what is in there, good for no time at all."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.time = Time()
        script = directory / "plugin"
        script.write_text(PLUGIN.format(directory=directory))
        script.chmod(0o755)
        exec = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script), "interactiveMode": "Never"}
        self.environ = kubeconfig(directory, {"exec": exec})

    def go(self, token: str | None) -> None:
        """Have the plugin give this token; with None, have it wait."""
        put(self.directory / "go", token)

    def load(self) -> KubeconfigToken:
        """The token source, whose clock is the stage's."""
        source = load(self.environ).token
        assert isinstance(source, KubeconfigToken)
        source._monotonic, source._asked_at = self.time, self.time()
        return source

    @property
    def runs(self) -> int:
        """How often the plugin was begun."""
        return len((self.directory / "runs").read_text().splitlines())


@pytest.fixture
def plugin(tmp_path: Path) -> PluginStage:
    return PluginStage(tmp_path)


async def has_begun(plugin: PluginStage, runs: int) -> None:
    """Wait until the plugin was begun so often."""
    while plugin.runs < runs:  # noqa: ASYNC110 a process tells nobody that it has begun
        await asyncio.sleep(0.01)


async def becomes(source: KubeconfigToken, token: str) -> None:
    """Wait until this is the token."""
    while await source.token() != token:  # noqa: ASYNC110 nor that it has ended
        await asyncio.sleep(0.01)


@pytest.mark.fault(
    "the plugin of a kubeconfig takes its time, or hangs",
    "Everything goes on with the token that there is; after half a minute the plugin is ended, and asked again later",
)
async def test_while_a_plugin_takes_its_time_everything_goes_on_with_the_token_that_there_is(
    plugin: PluginStage,
) -> None:
    plugin.go("t0")
    source = plugin.load()
    before = plugin.runs
    plugin.go(None)
    plugin.time.seconds += ASK_SECONDS

    assert await source.token() == "t0"
    await has_begun(plugin, before + 1)
    plugin.time.seconds += 10 * ASK_SECONDS
    assert await source.token() == "t0", "and no second one is begun"
    assert plugin.runs == before + 1
    plugin.go("t1")
    await becomes(source, "t1")


async def test_only_requests_whose_token_was_refused_wait_for_the_plugin_and_all_for_one(plugin: PluginStage) -> None:
    plugin.go("t0")
    source = plugin.load()
    before = plugin.runs
    plugin.go(None)

    waiting = [asyncio.create_task(source.token(refused="t0")) for _ in range(20)]
    await has_begun(plugin, before + 1)
    assert await source.token() == "t0"
    assert not any(task.done() for task in waiting)
    plugin.go("t1")
    assert await asyncio.gather(*waiting) == ["t1"] * 20


async def test_a_request_does_not_wait_for_a_plugin_for_ever(plugin: PluginStage) -> None:
    plugin.go("t0")
    source = plugin.load()
    plugin.go(None)
    source._patience = 0.01

    assert await source.token(refused="t0") == "t0"
    plugin.go("t1")
    await becomes(source, "t1")


def test_a_plugin_that_hangs_is_ended(
    plugin: PluginStage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[subprocess.Popen[str]] = []

    class Noted(plugins.Plugin):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            begun.append(self)

    monkeypatch.setattr(plugins, "PLUGIN_SECONDS", 0.2)
    monkeypatch.setattr(plugins, "Plugin", Noted)

    assert load(plugin.environ).token is None
    assert [process.poll() for process in begun] == [-9]
    assert "has given no token within 0.2 s" in caplog.text


async def test_a_plugin_that_fails_for_once_leaves_the_token_that_there_is(
    plugin: PluginStage, caplog: pytest.LogCaptureFixture
) -> None:
    plugin.go("t0")
    source = plugin.load()
    put(plugin.directory / "plugin", "#!/bin/sh\nexit 1\n")

    assert await source.token(refused="t0") == "t0"
    assert "exec: process returned 1" in caplog.text
    put(plugin.directory / "plugin", PLUGIN.format(directory=plugin.directory))
    plugin.go("t1")
    assert await source.token(refused="t0") == "t1"
