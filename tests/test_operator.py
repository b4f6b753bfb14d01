"""The operator as a whole ends when a part of it does that never should, and says so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from tests.adapters.lease_stage import LeaseServer
from tests.reconciler.virtual_time import pass_time, run

from flow_operator import __main__ as process
from flow_operator.adapters.api_server_names import ApiServerNames
from flow_operator.adapters.credentials import Credentials
from flow_operator.adapters.egress import Rules
from flow_operator.handlers import Supervisor
from flow_operator.reconciler import Reconciler
from flow_operator.settings import load


async def forever(_: object) -> None:
    """Goes on as it should."""
    await asyncio.Event().wait()


async def known(_: object) -> None:
    """Finds nothing out."""


async def raises(_: object) -> None:
    """Ends as it should not."""
    await pass_time(5)
    raise RuntimeError("a mistake")


async def returns(_: object) -> None:
    """Ends without a word."""
    await pass_time(5)


async def is_cancelled(_: object) -> None:
    """Ends because of something that cancels more than it should."""
    await pass_time(5)
    raise asyncio.CancelledError


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Callable[[], process.Operator]:
    """An operator whose API server is a fake one, and whose watches bring nothing."""
    monkeypatch.setattr(process, "ApiServer", lambda *_, **__: LeaseServer())
    monkeypatch.setattr(Supervisor, "run", forever)
    monkeypatch.setattr(ApiServerNames, "learn", known)
    monkeypatch.setattr(ApiServerNames, "keep_current", forever)
    access = Credentials("https://127.0.0.1", None, None, "default")

    def make() -> process.Operator:
        settings = load({"FLOW_IDENTITY": "flow-0", "FLOW_LEASE_NAMESPACE": "flow"}, [])
        return process.Operator(settings, access, None, None, Rules())  # type: ignore[arg-type]

    return make


@pytest.mark.parametrize("ends", [raises, returns, is_cancelled])
@pytest.mark.parametrize(
    ("owner", "part"),
    [(Reconciler, "keep_judging"), (Reconciler, "keep_listing"), (ApiServerNames, "keep_current")],
)
def test_when_a_part_ends_the_operator_ends_with_code_1_and_tells_it(
    owner: type,
    part: str,
    ends: Callable[[object], Awaitable[None]],
    operator: Callable[[], process.Operator],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> int:
        made = operator()
        monkeypatch.setattr(owner, part, ends)
        return await made.run()

    with caplog.at_level(logging.CRITICAL):
        assert run(story()) == 1
    [record] = caplog.records
    assert record.getMessage() == "a part of the operator has ended"
    assert ends is not raises or "a mistake" in str(record.exc_info)
