"""The operator as a process: started and ended in every way, and its log, which must have nothing to be ashamed of."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from os import kill
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from examples.order.demo.operator_process import PROGRAM, OperatorProcess
from tests.controlplane import eventually

LINES_SHOWN = 25


class Operator(OperatorProcess):
    """An operator with one kubeconfig and these settings."""

    def __init__(
        self,
        kubeconfig: Path,
        log: Path,
        settings: Mapping[str, str],
        group: int,
        program: Sequence[str | Path] = PROGRAM,
    ) -> None:
        super().__init__(kubeconfig, log, settings, group, program)
        self._expected: list[str] = []

    @property
    def is_running(self) -> bool:
        """Whether it was started, and has not been killed since."""
        return self._process is not None

    def crash(self) -> None:
        """SIGKILL, and start again: it takes its lease back at once."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: it hangs, and knows nothing of it."""
        kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        kill(self.pid, signal.SIGCONT)

    def ask_to_end(self) -> None:
        """SIGTERM; `wait` says how it ended."""
        kill(self.pid, signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """The exit code, once it has ended."""
        assert self._process is not None, "the operator is not running"
        return self._process.wait(seconds)

    def run_another(self) -> tuple[int, str]:
        """Run a second one with the same settings, the address it listens at included; exit code and output."""
        settings = self._environment | {"FLOW_HTTP_LISTEN": self.address}
        command = [sys.executable, "-m", "flow_operator"]
        done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stdout + done.stderr

    def get(self, path: str) -> str:
        """What it answers to a GET."""
        with build_opener(ProxyHandler({})).open(f"{self._url}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    def until_metric(self, line: str) -> None:
        """Wait until /metrics has this line."""
        eventually(lambda: line in self.get("/metrics").splitlines(), within=10, what=f"the metric {line}")

    def expect_error(self, text: str) -> None:
        """Lines of the log with this text are no fault: the test brings them about."""
        self._expected.append(text)

    def faults(self) -> list[str]:
        """Lines of the log that are errors, tracebacks, or no log lines at all."""
        return [line for line in self._lines() if _is_fault(line) and not any(text in line for text in self._expected)]

    def tail(self) -> str:
        """The end of the log."""
        return "\n".join(list(self._lines())[-LINES_SHOWN:])

    def _lines(self) -> Iterator[str]:
        if self.log.exists():
            yield from self.log.read_text(errors="replace").splitlines()


def _is_fault(line: str) -> bool:
    try:
        record = json.loads(line)
    except ValueError:
        return bool(line.strip())
    return record["level"] in ("error", "critical") or "traceback" in record
