"""How the operator is started: the environment, flags, and one line about what is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from flow_operator import __version__
from flow_operator.adapters.egress import Destinations
from flow_operator.settings import InvalidSetting, Listen, Settings, load
from flow_operator.settings.model import SETTINGS, flag, variable

NOWHERE = Path("/nonexistent/namespace")


def read(environ: Mapping[str, str] | None = None, argv: Sequence[str] = (), file: Path = NOWHERE) -> Settings:
    return load({"HOSTNAME": "flow-0", "PATH": "/bin", **(environ or {})}, argv, file)


def test_the_defaults() -> None:
    assert read() == Settings(
        namespaces=(),
        http_listen=Listen("0.0.0.0", 8080),
        service_url="http://{service}.{namespace}.svc:{port}/{method}",
        egress_allow=Destinations(),
        egress_deny=Destinations(),
        shards=1,
        identity="flow-0",
        lease_namespace="default",
        lease_duration=15.0,
        run_concurrency=1000,
        host_concurrency=50,
        namespace_concurrency=0,
        circuit=True,
        answer_memory=128 * 1024**2,
        log_format="json",
        log_level="info",
    )


# A setting, a value, and what it is read as.
GOOD: list[tuple[str, str, object]] = [
    ("namespaces", "shop, billing,shop", ("shop", "billing")),
    ("namespaces", " ,", ()),
    ("http_listen", "127.0.0.1:0", Listen("127.0.0.1", 0)),
    ("http_listen", ":9000", Listen("0.0.0.0", 9000)),
    ("http_listen", "[::]:8080", Listen("::", 8080)),
    ("http_listen", "localhost:8080", Listen("localhost", 8080)),
    ("service_url", "http://127.0.0.1:{port}/{method}", "http://127.0.0.1:{port}/{method}"),
    ("service_url", "https://gateway/{namespace}/{service}/{method}", "https://gateway/{namespace}/{service}/{method}"),
    ("egress_allow", "127.0.0.1, localhost", Destinations.parse("127.0.0.1,localhost")),
    ("egress_deny", "10.0.0.0/8", Destinations.parse("10.0.0.0/8")),
    ("shards", "1", 1),
    ("shards", "64", 64),
    ("identity", "me", "me"),
    ("lease_namespace", "flow-system", "flow-system"),
    ("lease_duration", "1m", 60.0),
    ("run_concurrency", "1", 1),
    ("host_concurrency", "7", 7),
    ("namespace_concurrency", "0", 0),
    ("namespace_concurrency", "20", 20),
    ("circuit", "off", False),
    ("circuit", "ON", True),
    ("answer_memory", "1Mi", 1024**2),
    ("answer_memory", "2048Ki", 2 * 1024**2),
    ("answer_memory", "3Gi", 3 * 1024**3),
    ("log_format", "text", "text"),
    ("log_format", "JSON", "json"),
    ("log_level", "debug", "debug"),
    ("log_level", "WARNING", "warning"),
]


@pytest.mark.parametrize(("name", "text", "expected"), GOOD)
def test_a_setting_is_read_from_the_environment_or_a_flag(name: str, text: str, expected: object) -> None:
    for settings in (
        read({variable(name): text}),
        read(argv=[flag(name), text]),
        read(argv=[f"{flag(name)}={text}"]),
    ):
        assert getattr(settings, name) == expected


# A setting, a value that it cannot have, and what the line says beside the setting's name.
BAD: list[tuple[str, str, str]] = [
    ("namespaces", "Shop", "'Shop' is no name of a namespace"),
    ("namespaces", "shop,a.b", "'a.b'"),
    ("http_listen", "8080", "host:port"),
    ("http_listen", "0.0.0.0:65536", "host:port"),
    ("http_listen", "0.0.0.0:http", "host:port"),
    ("http_listen", "::8080", "host:port"),
    ("service_url", "http://orders/", "the placeholders are {service}, {namespace}, {port}, {method}"),
    ("service_url", "http://{service}.{ns}/", "{ns}"),
    ("service_url", "http://{service.name}/", "{service.name}"),
    ("service_url", "http://{service!r}/", "{service}"),
    ("service_url", "http://{service:>9}/", "{service}"),
    ("service_url", "http://{}/", "{}"),
    ("service_url", "http://{service", "is no template"),
    ("service_url", "http://{{service}}/{method}", "the placeholders are"),
    ("service_url", "{service}/{method}", "no absolute http or https URL"),
    ("service_url", "ftp://{service}/{method}", "no absolute http or https URL"),
    ("service_url", "http:///{method}", "no absolute http or https URL"),
    ("service_url", "http://user:pass@{service}/{method}", "no absolute http or https URL"),
    ("service_url", "http://{service}/ {method}", "no absolute http or https URL"),
    ("service_url", "http://{service}/?m={method}", "no absolute http or https URL"),
    ("service_url", "http://{service}:{method}/", "no absolute http or https URL"),
    ("egress_allow", "10.0.0.1/8", "10.0.0.0/8"),
    ("egress_deny", "*.example.com", "neither a CIDR, an address nor a host name"),
    ("shards", "0", "not an integer of at least 1"),
    ("shards", "65", "1 to 64"),
    ("shards", "many", "not an integer of at least 1"),
    ("identity", "two words", "no identity"),
    ("lease_namespace", "a/b", "no name of a namespace"),
    ("lease_duration", "15", "for example 500ms"),
    ("lease_duration", "1500ms", "whole seconds"),
    ("lease_duration", "0s", "at least 1s"),
    ("run_concurrency", "-1", "not an integer of at least 1"),
    ("run_concurrency", "many", "not an integer of at least 1"),
    ("host_concurrency", "1.5", "not an integer of at least 1"),
    ("namespace_concurrency", "-1", "not an integer of at least 0"),
    ("circuit", "perhaps", "none of on, off"),
    ("answer_memory", "128", "for example 128Mi"),
    ("answer_memory", "128MB", "for example 128Mi"),
    ("answer_memory", "1.5Gi", "for example 128Mi"),
    ("answer_memory", "1023Ki", "at least 1Mi"),
    ("answer_memory", "0Gi", "at least 1Mi"),
    ("log_format", "xml", "json, text"),
    ("log_level", "loud", "debug, info, warning, error"),
]


@pytest.mark.parametrize(("name", "text", "said"), BAD)
def test_a_malformed_setting_is_named_in_one_line_with_the_way_out(name: str, text: str, said: str) -> None:
    for label, environ, argv in (
        (variable(name), {variable(name): text}, []),
        (flag(name), {}, [f"{flag(name)}={text}"]),
    ):
        with pytest.raises(InvalidSetting) as caught:
            read(environ, argv)
        line = str(caught.value)
        assert line.startswith(f"{label}: ")
        assert said in line
        assert "\n" not in line


def test_a_line_break_in_a_value_makes_no_second_line() -> None:
    with pytest.raises(InvalidSetting) as caught:
        read({"FLOW_EGRESS_DENY": "a\nb"})
    assert "\n" not in str(caught.value)


def test_a_flag_wins_over_the_environment() -> None:
    assert read({"FLOW_HOST_CONCURRENCY": "7"}, ["--host-concurrency", "8"]).host_concurrency == 8
    assert read({"FLOW_HOST_CONCURRENCY": "many"}, ["--host-concurrency", "8"]).host_concurrency == 8


def test_an_empty_value_stands_for_the_default() -> None:
    empty = {variable(name): "" for name in SETTINGS}
    assert read(empty) == read()
    assert read({"FLOW_NAMESPACES": "shop"}, ["--namespaces="]).namespaces == ()


UNKNOWN = [
    ("FLOW_HTTP_LISTEM", "did you mean FLOW_HTTP_LISTEN?"),
    ("FLOW_EGRESSALLOW", "did you mean FLOW_EGRESS_ALLOW?"),
    ("FLOW_COFFEE", "--help"),
    ("FLOW_", "--help"),
]


@pytest.mark.parametrize(("name", "way_out"), UNKNOWN)
def test_an_unknown_variable_is_not_ignored(name: str, way_out: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^{name} is no setting: ") as caught:
        read({name: "x"})
    assert way_out in str(caught.value)


LINKS = [
    "FLOW_SERVICE_HOST",
    "FLOW_SERVICE_PORT",
    "FLOW_SERVICE_PORT_HTTP",
    "FLOW_PORT",
    "FLOW_PORT_8080_TCP",
    "FLOW_PORT_8080_TCP_ADDR",
    "FLOW_OPERATOR_SERVICE_HOST",
    "FLOW_OPERATOR_SERVICE_PORT_METRICS",
    "FLOW_OPERATOR_PORT",
    "FLOW_OPERATOR_PORT_8080_TCP_PROTO",
]


@pytest.mark.parametrize("name", LINKS)
def test_the_links_of_a_service_called_flow_are_none_of_ours(name: str) -> None:
    assert read({name: "tcp://10.0.0.1:80"}) == read()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--http-listem", ":1"], "'--http-listem' is no setting: did you mean --http-listen?"),
        (["--http-listem=:1"], "'--http-listem' is no setting: did you mean --http-listen?"),
        (["--http", ":1"], "'--http' is no setting"),
        (["run"], "'run' is no setting"),
        (["--http-listen"], "--http-listen"),
    ],
)
def test_an_unknown_argument_is_not_ignored(argv: list[str], said: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        read(argv=argv)
    assert said in str(caught.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidSetting) as caught:
        read({"FLOW_SHARDS": "65", "FLOW_LOG_LEVEL": "loud", "FLOW_COFFEE": "x"}, ["--tea"])
    assert [
        said for said in ("FLOW_SHARDS", "FLOW_LOG_LEVEL", "FLOW_COFFEE", "--tea") if said not in str(caught.value)
    ] == []


def test_in_a_pod_the_leases_are_in_its_namespace_under_its_name(tmp_path: Path) -> None:
    file = tmp_path / "namespace"
    file.write_text("flow-system\n")
    assert read(file=file).lease_namespace == "flow-system"
    assert read({"FLOW_LEASE_NAMESPACE": "other"}, file=file).lease_namespace == "other"
    assert read({"HOSTNAME": "flow-1"}).identity == "flow-1"
    assert load({}, [], NOWHERE).identity


def test_help_tells_every_setting_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read(argv=["--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for name, setting in SETTINGS.items():
        assert f"{flag(name)} VALUE {setting.meaning} (default: {setting.shown or setting.default})" in text


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read(argv=["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"flow-operator {__version__}\n"


def test_settings_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read().shards = 2  # type: ignore[misc]
