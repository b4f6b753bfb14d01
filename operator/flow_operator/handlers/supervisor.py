"""Keeps kopf running. kopf is made to end when anything unforeseen happens to it; the runs are not to notice.

Only kopf's own tasks are cancelled, and it begins anew within a second. What happened in between is found by
comparing a list with what is known (reconciler/listing).
"""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import AsyncGeneratorType, CodeType
from typing import Any

import kopf

log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.5
STOP_SECONDS = 10.0
STEADY_SECONDS = 30.0
"""Running for so long, it counts as having come up."""
PATIENCE_SECONDS = 180.0
"""Not coming up for so long, it is the business of whoever restarts the process."""

_KOPF = str(Path(kopf.__file__).parent)


class Supervisor:
    """Spawns kopf again and again."""

    def __init__(
        self,
        registry: kopf.OperatorRegistry,
        namespaces: Collection[str],
        *,
        on_spawn: Callable[[], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._namespaces = namespaces
        self._on_spawn = on_spawn
        self._monotonic = monotonic
        self._spawned_at: float | None = None
        self._down_since: float | None = None

    def trouble(self) -> str | None:
        """What /healthz says of kopf: that it could not be brought up for minutes, or nothing."""
        now = self._monotonic()
        if self._down_since is None or (self._spawned_at is not None and now - self._spawned_at >= STEADY_SECONDS):
            return None
        down = now - self._down_since
        return None if down < PATIENCE_SECONDS else f"the watches have not come up for {down:.0f} s"

    async def run(self) -> None:
        """Keep it running until cancelled, or until that is hopeless."""
        asyncio.get_running_loop().set_exception_handler(_unheard)
        while self.trouble() is None:
            tasks = await kopf.spawn_tasks(
                registry=self._registry,
                settings=_settings(),
                identity="flow-operator",  # type: ignore[arg-type]  # else kopf asks DNS for the host's name
                standalone=True,
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
            )
            self._on_spawn()
            self._spawned_at = self._monotonic()
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _stop(tasks)
            now = self._monotonic()
            if self._down_since is None or now - self._spawned_at >= STEADY_SECONDS:
                self._down_since = now
            self._spawned_at = None
            log.warning("the watches have ended, and begin anew: %s", _cause(done))
            await asyncio.sleep(AGAIN_SECONDS)
        log.error("%s", self.trouble())


class Backoffs:
    """Pauses between kopf's requests that fail: short at first, never the last one."""

    def __iter__(self) -> Iterator[float]:
        pause = 0.1
        while True:
            yield pause * random.uniform(0.5, 1.0)
            pause = min(pause * 2, 5.0)


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.persistence.progress_storage = _NoProgress()
    settings.persistence.consistency_timeout = 0
    settings.queueing.worker_limit = None  # a number starves or deadlocks
    settings.queueing.idle_timeout = 1
    settings.watching.chunk_size = 500
    settings.watching.server_timeout = 600
    settings.watching.inactivity_timeout = 70  # bookmarks come every 60 s
    settings.networking.error_backoffs = Backoffs()
    settings.process.ultimate_exiting_timeout = None  # else it arms a SIGKILL each time it is stopped
    return settings


class _NoDiffBase(kopf.DiffBaseStorage):
    """kopf's own copies and compares every object whole."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        pass


class _NoProgress(kopf.ProgressStorage):
    """There is no progress of handlers that only listen."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        pass

    def purge(self, **_: Any) -> None:
        pass

    def touch(self, **_: Any) -> None:
        pass

    def clear(self, *, essence: Any) -> Any:
        return essence


async def _stop(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel what kopf spawned, and what that spawned; nothing else."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=STOP_SECONDS)
    left = [task for task in asyncio.all_tasks() if not task.done() and _is_of_kopf(task)]
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=1)


def _is_of_kopf(task: asyncio.Task[Any]) -> bool:
    return _code_is_of_kopf(getattr(task.get_coro(), "cr_code", None))


def _code_is_of_kopf(code: CodeType | None) -> bool:
    return code is not None and code.co_filename.startswith(_KOPF)


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What kopf leaves behind when it ends in the middle of something: why it ended is told once, by `run`."""
    task, generator = context.get("future"), context.get("asyncgen")
    if isinstance(task, asyncio.Task) and _is_of_kopf(task):
        return
    if isinstance(generator, AsyncGeneratorType) and _code_is_of_kopf(generator.ag_code):
        return
    loop.default_exception_handler(context)


def _cause(done: Collection[asyncio.Task[Any]]) -> str:
    for task in done:
        if not task.cancelled() and (error := task.exception()) is not None:
            return f"{type(error).__name__}: {error}"
    return "no reason given"
