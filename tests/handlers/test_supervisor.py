"""kopf is started again when it ends, and nothing but kopf is touched by that."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import aiohttp
import kopf
import pytest
from aiohttp.test_utils import unused_port
from tests.reconciler.virtual_time import pass_time, run

from flow_operator.adapters.sessions import api_server_session
from flow_operator.handlers import Supervisor, bind
from flow_operator.handlers.supervisor import PATIENCE_SECONDS, STEADY_SECONDS, Backoffs


class FakeKopf:
    """Stands in for kopf.spawn_tasks: two tasks, of which one ends after a while."""

    def __init__(self, lives: list[float]) -> None:
        self.lives = lives
        self.spawned: list[float] = []
        self.cancelled = 0

    async def spawn_tasks(self, **_: Any) -> list[asyncio.Task[Any]]:
        """Spawn them."""
        self.spawned.append(asyncio.get_running_loop().time())
        life = self.lives.pop(0) if len(self.lives) > 1 else self.lives[0]
        return [asyncio.create_task(self._ends(life)), asyncio.create_task(self._goes_on())]

    async def _ends(self, life: float) -> None:
        await pass_time(life)
        raise RuntimeError("in-stream error")

    async def _goes_on(self) -> None:
        try:
            await pass_time(1e9)
        finally:
            self.cancelled += 1


def supervised(
    monkeypatch: pytest.MonkeyPatch, fake: FakeKopf, on_spawn: Callable[[], None] = lambda: None
) -> Supervisor:
    """A supervisor of that."""
    monkeypatch.setattr(kopf, "spawn_tasks", fake.spawn_tasks)
    return Supervisor(
        kopf.OperatorRegistry(), (), on_spawn=on_spawn, monotonic=lambda: asyncio.get_running_loop().time()
    )


def test_it_begins_anew_within_a_second_and_others_do_not_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    fake, spawns = FakeKopf([100.0, 200.0, 1e6]), []

    async def story() -> None:
        bystander = asyncio.create_task(pass_time(500))
        supervisor = supervised(monkeypatch, fake, lambda: spawns.append(1))
        task = asyncio.create_task(supervisor.run())
        await bystander
        assert supervisor.trouble() is None
        task.cancel()
        await asyncio.wait([task])

    run(story())
    assert [round(moment) for moment in fake.spawned] == [0, 100, 301]
    assert len(spawns) == 3
    assert fake.cancelled == 3


def test_when_it_cannot_come_up_for_minutes_it_says_so_and_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> float:
        supervisor = supervised(monkeypatch, FakeKopf([STEADY_SECONDS - 1]))
        await supervisor.run()
        assert "have not come up" in (supervisor.trouble() or "")
        return asyncio.get_running_loop().time()

    assert PATIENCE_SECONDS <= run(story()) <= PATIENCE_SECONDS + 2 * STEADY_SECONDS


def test_its_pauses_are_short_at_first_and_never_end() -> None:
    pauses = iter(Backoffs())
    first = next(pauses)
    assert first <= 0.1
    assert all(0.05 <= next(pauses) <= 5.0 for _ in range(1000))


def test_kopf_itself_is_stopped_whole_and_does_not_keep_the_signals() -> None:
    """The real kopf, and an API server that is away."""

    async def story() -> set[str]:
        loop, heard, spawned = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def on_spawn() -> None:
            loop.add_signal_handler(signal.SIGTERM, heard.set)
            spawned.set()

        sessions: list[aiohttp.ClientSession] = []

        def login() -> tuple[str, aiohttp.ClientSession]:
            sessions.append(api_server_session())
            return f"http://127.0.0.1:{unused_port()}", sessions[-1]

        registry = bind(lambda *_: None, login)
        task = asyncio.create_task(Supervisor(registry, (), on_spawn=on_spawn, monotonic=loop.time).run())
        await spawned.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(heard.wait(), 5)
        while not sessions:  # noqa: ASYNC110 kopf tells nobody that it has logged in
            await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])
        assert [session.closed for session in sessions] == [True]
        return {repr(each) for each in asyncio.all_tasks() if each is not asyncio.current_task()}

    assert asyncio.run(story()) == set()
