"""The service process, and what it saw."""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

from bench.service import HOST

ROOT = Path(__file__).parents[1]

Calls = dict[str, list[float]]
"""When the calls of each run came, in their order, by the monotonic clock."""


class Callee:
    """A context manager: the service runs in a process of its own, so that its CPU time is counted apart."""

    port: int

    def __enter__(self) -> "Callee":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.service"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    async def count(self) -> int:
        """How many calls there were so far."""
        return await self.until(0)

    async def until(self, calls: int, within: float = 600) -> int:
        """Wait until there were so many calls in all."""
        number: int = await self._ask(f"until?calls={calls}", within)
        return number

    async def calls(self, first: int = 0) -> Calls:
        """The calls from this one on, by run (`namespace/name`)."""
        by_run: Calls = defaultdict(list)
        for run, _, moment in await self._ask(f"calls?from={first}", 60):
            by_run[run].append(moment)
        return by_run

    async def _ask(self, question: str, within: float) -> Any:
        timeout = aiohttp.ClientTimeout(total=within)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://{HOST}:{self.port}/-/{question}") as answer,
        ):
            return await answer.json()
