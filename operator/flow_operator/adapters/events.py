"""Posts Kubernetes Events on runs, in the background and as well as it can be done: nothing ever waits for one."""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

from flow_operator.adapters import clock
from flow_operator.api.meta import API_VERSION
from flow_operator.engine.contract import Event
from flow_operator.engine.errors import ClusterError

log = logging.getLogger(__name__)

COMPONENT = "flow-operator"
KIND = "WorkflowExecution"
MESSAGE_BYTES = 1024
"""The API server takes no more."""
WAITING = 1000
"""Events that wait while the API server is away; older ones are dropped first."""
FLUSH_SECONDS = 2.0

Object = dict[str, Any]


class Creator(Protocol):
    """The part of the API server that is needed here."""

    async def create(self, plural: str, namespace: str, document: Object) -> Object:
        """Create the object."""
        ...


class Events:
    """One task posts them, in order."""

    def __init__(self, cluster: Creator, identity: str, now: Callable[[], datetime] = clock.now) -> None:
        self._cluster = cluster
        self._identity = identity
        self._now = now
        self._waiting: asyncio.Queue[tuple[str, Object]] = asyncio.Queue()

    def post(self, namespace: str, name: str, uid: str, event: Event) -> None:
        """Post the event on this run, soon."""
        if self._waiting.qsize() >= WAITING:
            self._waiting.get_nowait()
            self._waiting.task_done()
        self._waiting.put_nowait((namespace, self._document(namespace, name, uid, event)))

    async def run(self) -> None:
        """Post what comes, until cancelled."""
        while True:
            namespace, document = await self._waiting.get()
            try:
                await self._cluster.create("events", namespace, document)
            except ClusterError as error:
                log.warning("event %s in %s could not be posted: %s", document["reason"], namespace, error)
            except Exception:  # one event is not worth the process
                log.exception("event %s in %s could not be posted", document["reason"], namespace)
            finally:
                self._waiting.task_done()

    async def flush(self) -> None:
        """Wait until all is posted, but not for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._waiting.join()

    def _document(self, namespace: str, name: str, uid: str, event: Event) -> Object:
        now = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        message = event.message.encode()[: MESSAGE_BYTES - 3]
        shortened = len(message) < len(event.message.encode())
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{name[:230]}.{os.urandom(8).hex()}", "namespace": namespace},
            "involvedObject": {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "namespace": namespace,
                "name": name,
                "uid": uid,
            },
            "type": event.type,
            "reason": event.reason.value,
            "message": message.decode("utf-8", "ignore") + ("…" if shortened else ""),
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._identity,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
