"""The operator as a process of its own, ready or ended, and what its own counters say."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench.processes import resident_mib
from bench.requests import samples

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"
READY_WITHIN = 120.0
STOP_WITHIN = 30.0
LOOK_SECONDS = 0.02


class OperatorError(Exception):
    """The operator ended by itself; the message has the end of its log."""


class OperatorProcess:
    """One operator for one namespace; `module` is what runs it, if not itself, and the arguments of that."""

    def __init__(
        self,
        kubeconfig: Path,
        log: Path,
        settings: Mapping[str, str],
        group: int,
        module: Sequence[str] = ("flow_operator",),
    ) -> None:
        self._log = log
        self._group = group
        self._port = _free_port()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FLOW_", "KUBE"))}
        listen = {"KUBECONFIG": str(kubeconfig), "FLOW_HTTP_LISTEN": f"{HOST}:{self._port}"}
        self._environment = {**inherited, **listen, **settings}
        self._command = [sys.executable, "-m", *module]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Number of the process."""
        assert self._process is not None, "the operator is not running"
        return self._process.pid

    def start(self) -> float:
        """Start it; how many seconds it took until it was ready. Raises OperatorError when it ends instead."""
        began = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=self._group,
            )
        while self._get("/readyz") is None:
            if self._process.poll() is not None or time.monotonic() - began > READY_WITHIN:
                tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])
                raise OperatorError(f"the operator is not ready; the end of its log:\n{tail}")
            time.sleep(LOOK_SECONDS)
        return time.monotonic() - began

    def stop(self) -> None:
        """End it with SIGTERM, as Kubernetes would."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_WITHIN)
        self._process.kill()
        self._process.wait()
        self._process = None

    def resident_mib(self) -> float | None:
        """Memory that it has in RAM now."""
        return resident_mib(self.pid)

    def most_mib(self) -> float | None:
        """The most memory that it had in RAM since it was started."""
        return resident_mib(self.pid, "VmHWM")

    def runs_in(self, phase: str) -> int:
        """How many runs it knows in this phase."""
        return sum(int(value) for labels, value in self._samples("flow_runs") if labels["phase"] == phase)

    def status_writes(self) -> int:
        """How many statuses it has stored, those of definitions included."""
        stored = self._samples("flow_status_writes_total")
        return sum(int(value) for labels, value in stored if labels["result"] == "stored")

    def _samples(self, name: str) -> list[tuple[Mapping[str, str], float]]:
        return list(samples(self._get("/metrics") or "", name))

    def _get(self, path: str) -> str | None:
        connection = HTTPConnection(HOST, self._port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read().decode()
            return text if answer.status == 200 else None
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
