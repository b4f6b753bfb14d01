"""Every name and address under which the API server could be called, and how that is kept current."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest
from tests.adapters.raw_server import raw_server
from tests.adapters.test_caller import GENEROUS, POST, answer, ok, seen

from flow_operator.adapters import addresses, api_server_names
from flow_operator.adapters.api_server_names import LABEL, ApiServerNames, endpoint_addresses
from flow_operator.adapters.caller import Caller
from flow_operator.adapters.egress import Destinations, Rules, denial
from flow_operator.adapters.sessions import call_session
from flow_operator.engine.errors import ClusterError, Forbidden, Gone, Unavailable
from flow_operator.engine.messages.observation import Answered, Denied

Object = dict[str, Any]


def slice_of(*found: str) -> Object:
    return {"endpoints": [{"addresses": [each], "conditions": {"ready": True}} for each in found]}


class Cluster:
    """Gives these answers to one list after the other, and the last one for good."""

    def __init__(self, *answers: list[Object] | ClusterError) -> None:
        self._answers = list(answers)
        self.lists: list[tuple[str, str, str]] = []

    async def list_all(self, plural: str, namespace: str, labels: str = "") -> list[Object]:
        self.lists.append((plural, namespace, labels))
        given = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(given, ClusterError):
            raise given
        return given


def names_of(cluster: Cluster, rules: Rules, server: str = "https://10.96.0.1:443") -> ApiServerNames:
    return ApiServerNames(cluster, rules, server, {})


def is_denied(rules: Rules, address: str) -> bool:
    return denial(address, addresses.parse(address), rules) is not None


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_server_names, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(api_server_names, "RETRY_SECONDS", 0.0)


async def test_the_names_of_its_service_and_the_addresses_of_its_hosts() -> None:
    rules = Rules()
    environ = {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}
    await ApiServerNames(Cluster([]), rules, "https://localhost:6443", environ).learn()
    found = rules.api_server
    assert {"kubernetes.default.svc", "localhost"} <= found.names
    assert found.has_singly(addresses.parse("10.96.0.1"))
    assert found.has_singly(addresses.parse("127.0.0.1")) or found.has_singly(addresses.parse("::1"))


async def test_a_name_without_an_address_is_a_name_all_the_same() -> None:
    rules = Rules()
    await names_of(Cluster([]), rules, "https://nowhere.invalid").learn()
    assert "nowhere.invalid" in rules.api_server.names
    assert rules.api_server.networks == ()


async def test_the_addresses_of_its_endpoints_are_denied() -> None:
    rules, cluster = Rules(), Cluster([slice_of("192.0.2.7", "192.0.2.8"), slice_of("2001:db8::7")])
    assert not is_denied(rules, "192.0.2.7")
    await names_of(cluster, rules).learn()
    assert all(is_denied(rules, each) for each in ("192.0.2.7", "192.0.2.8", "2001:db8::7", "::ffff:192.0.2.7"))
    assert not is_denied(rules, "192.0.2.9")
    assert cluster.lists == [("endpointslices", "default", LABEL)]


def test_what_is_not_an_address_is_left_out() -> None:
    odd: list[dict[str, Any]] = [
        {},
        {"endpoints": None},
        {"endpoints": [{}, {"addresses": None}]},
        slice_of("api.example", "010.0.0.1", ""),
    ]
    assert endpoint_addresses([*odd, slice_of("192.0.2.7")]) == {"192.0.2.7"}


@pytest.mark.fault("a control-plane node is replaced", "Its new address is denied within a minute")
async def test_the_guard_judges_each_call_by_the_addresses_of_that_moment() -> None:
    rules = Rules(allow=Destinations.parse("127.0.0.0/8"))
    names = names_of(Cluster([slice_of("192.0.2.7")], [slice_of("127.0.0.1")], [slice_of("192.0.2.8")]), rules)

    async with raw_server(answer(ok(b"Connection: close"))) as server, call_session(rules) as session:
        caller = Caller(session)

        async def call() -> object:
            request = replace(POST, url=server.url, connect_timeout=GENEROUS, request_timeout=GENEROUS)
            return seen(await caller.call(request))

        await names.learn()
        assert isinstance(await call(), Answered)
        await names.refresh()
        assert await call() == Denied("")
        await names.refresh()
        assert isinstance(await call(), Answered)
        assert not is_denied(rules, "192.0.2.7")


@pytest.mark.usefixtures("without_pauses")
async def test_nothing_is_called_before_the_endpoints_are_known() -> None:
    rules = Rules()
    cluster = Cluster(Unavailable("503"), Unavailable("503"), [slice_of("192.0.2.7")])
    await names_of(cluster, rules).learn()
    assert len(cluster.lists) == 3
    assert is_denied(rules, "192.0.2.7")


async def test_what_cannot_be_read_now_stays_as_it_was() -> None:
    rules = Rules()
    names = names_of(Cluster([slice_of("192.0.2.7")], Unavailable("503"), Forbidden("403")), rules)
    await names.learn()
    assert not await names.refresh()
    assert is_denied(rules, "192.0.2.7")
    assert await names.refresh()
    assert is_denied(rules, "192.0.2.7")


@pytest.mark.fault("the operator has no right on EndpointSlices", "It says so once, and works")
@pytest.mark.parametrize("error", [Forbidden("403 no"), Gone("404 no such resource")])
async def test_a_missing_right_is_told_once(error: ClusterError, caplog: pytest.LogCaptureFixture) -> None:
    rules = Rules()
    names = names_of(Cluster(error), rules)
    await names.learn()
    await names.refresh()
    [line] = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert str(error) in line
    assert "EndpointSlices" in line
    assert "FLOW_EGRESS_DENY" in line
    assert is_denied(rules, "10.96.0.1")


async def test_a_right_that_is_lost_again_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    names = names_of(Cluster(Forbidden("403"), [], Forbidden("403")), Rules())
    for _ in range(3):
        await names.refresh()
    assert len(caplog.records) == 2


@pytest.mark.usefixtures("without_pauses")
async def test_it_goes_on_whatever_the_api_server_answers() -> None:
    rules = Rules()
    listed_again = asyncio.Event()

    class Last(Cluster):
        async def list_all(self, plural: str, namespace: str, labels: str = "") -> list[Object]:
            if len(self.lists) == 4:
                listed_again.set()
            return await super().list_all(plural, namespace, labels)

    cluster = Last(Forbidden("403"), Unavailable("503"), Gone("404"), [slice_of("192.0.2.7")])
    task = asyncio.create_task(names_of(cluster, rules).keep_current())
    await listed_again.wait()
    assert is_denied(rules, "192.0.2.7")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
