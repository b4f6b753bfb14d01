"""A request on its way through the proxy, and the rules that say what becomes of it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aiohttp import web


@dataclass
class Passing:
    """A request that has come whole."""

    method: str
    path: str
    query: Mapping[str, str]
    header: Mapping[str, str]
    body: bytes
    forward: Callable[[], Awaitable[web.Response]]
    """Pass it on; the whole answer of the other side."""
    stream: Callable[[Callable[[bytes], bool]], Awaitable[web.StreamResponse]]
    """Pass it on, and the answer back as it comes, as long as each piece of it is wanted."""
    hang_up: Callable[[], web.Response]
    """End the connection without an answer, or in the middle of one."""

    @property
    def is_watch(self) -> bool:
        """Whether the answer has no end."""
        return "watch" in self.query

    @property
    def is_write(self) -> bool:
        """Whether it changes something at the API server."""
        return self.method != "GET"

    @property
    def resource(self) -> str:
        """The plural that it is about at the API server; empty for what is no resource."""
        return self._about[0] if self._about else ""

    @property
    def name(self) -> str:
        """The object that it is about, empty for all of them or a new one."""
        return self._about[1] if len(self._about) > 1 else ""

    @property
    def is_status(self) -> bool:
        """Whether it is about the status of an object."""
        return self._about[2:] == ("status",)

    @cached_property
    def document(self) -> Any:
        """What is sent, None for nothing."""
        return json.loads(self.body) if self.body else None

    @cached_property
    def _about(self) -> tuple[str, ...]:
        words = self.path.strip("/").split("/")
        before = words.index("namespaces") + 2 if "namespaces" in words else 3 if words[0] == "apis" else 2
        return tuple(words[before:])


Fault = Callable[[Passing], Awaitable[web.StreamResponse]]
Ruling = Callable[[Passing], Fault | None]
"""What becomes of a request; None: nothing, as far as this rule is concerned."""


class Rule:
    """What becomes of each request that is wanted, of each `every`-th one, or of the first `times` only."""

    def __init__(
        self, wanted: Callable[[Passing], bool], fault: Fault, *, every: int = 1, times: int | None = None
    ) -> None:
        self.applied = 0
        """How often it did."""
        self._wanted = wanted
        self._fault = fault
        self._every = every
        self._times = times
        self._seen = 0

    def __call__(self, passing: Passing) -> Fault | None:
        if not self._wanted(passing) or self.applied == self._times:
            return None
        self._seen += 1
        if (self._seen - 1) % self._every:
            return None
        self.applied += 1
        return self._fault
