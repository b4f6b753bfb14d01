"""One service as a process: started, stopped, killed, told how to behave, and its journal read."""

import contextlib
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.controlplane.ports import ReservedPort

from examples.order.services.behaviour import Behaviour
from examples.order.services.journal import Entry, JournalReader

ROOT = Path(__file__).parents[3]

STOP_TIMEOUT = 5.0


class PortTakenError(Exception):
    """A service could not listen on its port."""


class ServiceProcess:
    """A service in a process of its own. Its journal outlives it: a restarted service knows what it did."""

    def __init__(self, name: str, directory: Path, port: int | None = None, pace: float = 0) -> None:
        """Listen on `port`, or on a free one that stays this service's own while it is stopped.

        Every call takes `pace` seconds at least.
        """
        self.name = name
        self._reserved = ReservedPort() if port is None else None
        self.port = self._reserved.number if self._reserved else port or 0
        self.journal = directory / f"{name}.jsonl"
        self._reader = JournalReader(self.journal)
        self._pace = pace
        self._process: subprocess.Popen[str] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def spawn(self) -> None:
        """Begin to start; `wait_until_ready` ends it."""
        module = "examples.order.services"
        command = [sys.executable, "-m", module, self.name, "--port", str(self.port), "--journal", str(self.journal)]
        more = ["--attached", "--pace", str(self._pace), *(["--share-port"] if self._reserved else [])]
        self._process = subprocess.Popen(
            [*command, *more],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_until_ready(self) -> None:
        """Wait until it listens. Raises PortTakenError."""
        assert self._process is not None, "spawn() comes first"
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if " listens on " not in line:
            self.kill()
            raise PortTakenError(line or f"{self.name} did not start")

    def start(self) -> None:
        """Start, or start again on the same port, and wait until it listens. Nothing happens if it runs."""
        if not self.running:
            self.spawn()
            self.wait_until_ready()

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and do not wait."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """End it as Kubernetes would; connections to it are refused from then on."""
        if self._process is None:
            return
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT)
        self.kill()

    def kill(self) -> None:
        """End it with SIGKILL, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def close(self) -> None:
        """End it for good, and give its port back."""
        self.stop()
        if self._reserved:
            self._reserved.release()

    def behave(self, method: str, behaviour: Behaviour) -> None:
        """Tell a method how to behave from now on; calls that it holds are answered."""
        body = json.dumps(behaviour.to_json()).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/control/{method}", body, method="PUT")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5):
            pass

    def entries(self) -> list[Entry]:
        """Every call it received, oldest first."""
        return self._reader.entries()
