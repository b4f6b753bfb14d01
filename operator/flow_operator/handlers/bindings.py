"""The handlers: each hands on what a watch brings, without waiting for anything.

They are coroutines although they never wait: kopf runs plain functions in a thread, each event one hop away from the
loop that owns the runs.
"""

from collections.abc import Callable
from typing import Any

import aiohttp
import kopf

from flow_operator.api.meta import GROUP, VERSION

PLURALS = ("workflowexecutions", "workflows", "steps")

Observe = Callable[[str, str, dict[str, Any]], None]
"""Told the plural, the type of the event and the object; never raises."""
Login = Callable[[], tuple[str, aiohttp.ClientSession]]
"""The URL of the API server, and a new session for it."""


def bind(observe: Observe, login: Login) -> kopf.OperatorRegistry:
    """A registry with one handler for each kind, and ours for logging in."""
    registry = kopf.OperatorRegistry()
    for plural in PLURALS:
        kopf.on.event(GROUP, VERSION, plural, id=plural, registry=registry)(_handler(plural, observe))

    @kopf.on.login(registry=registry, id="login")
    async def _login(**_: Any) -> kopf.AiohttpSession:
        server, session = login()
        return kopf.AiohttpSession(server=server, aiohttp_session=session)

    return registry


def _handler(plural: str, observe: Observe) -> Callable[..., Any]:
    async def handle(event: kopf.RawEvent, **_: Any) -> None:
        observe(plural, event["type"], event["object"])  # type: ignore[arg-type]

    return handle
