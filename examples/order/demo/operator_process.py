"""The operator as a process of its own: started, killed, started again."""

import contextlib
import os
import signal
import subprocess
import sysconfig
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.controlplane import eventually
from tests.controlplane.ports import quiet_port

PROGRAM: Sequence[str | Path] = (Path(sysconfig.get_path("scripts")) / "flow-operator",)
READY_WITHIN = 60.0
STOP_WITHIN = 10.0


class OperatorError(Exception):
    """The operator ended by itself; the message has the end of its log."""


class OperatorProcess:
    """`flow-operator` with one kubeconfig and these settings; what this process has of either is kept from it."""

    def __init__(
        self,
        kubeconfig: Path,
        log: Path,
        settings: Mapping[str, str],
        group: int = 0,
        program: Sequence[str | Path] = PROGRAM,
    ) -> None:
        """In the process group `group`, or in one of its own: it does not see a terminal's Ctrl-C."""
        self.log = log
        self._program = program
        self._group = group
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FLOW_", "KUBE"))}
        self._environment = {**inherited, "KUBECONFIG": str(kubeconfig), **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""

    @property
    def pid(self) -> int:
        """Number of the process."""
        assert self._process is not None, "the operator is not running"
        return self._process.pid

    @property
    def address(self) -> str:
        """Host and port of its probes and metrics; others after each start."""
        return self._url.removeprefix("http://")

    def start(self) -> None:
        """Start it, unless it runs, and wait until it is ready. Raises OperatorError when it ends instead."""
        if self._process is not None and self._process.poll() is None:
            return
        listen = f"127.0.0.1:{quiet_port()}"
        self._url = f"http://{listen}"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._program,
                env=self._environment | {"FLOW_HTTP_LISTEN": listen},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=self._group,
            )
        try:
            eventually(self._is_ready, within=READY_WITHIN, what=f"the operator ready; its log is {self.log}")
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End it with SIGKILL, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it with SIGTERM, as Kubernetes would; after a while with SIGKILL."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_WITHIN)
            self.kill()

    def check(self) -> None:
        """Raise OperatorError if it has ended without being asked to."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise OperatorError(f"the operator ended with code {code}; the end of {self.log}:\n{self.log_tail()}")

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _is_ready(self) -> bool:
        self.check()
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{self._url}/readyz", timeout=2):
                return True
        except OSError:
            return False
