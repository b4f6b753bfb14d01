"""The servers as processes: started, watched, ended, and never left behind."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path


class ServerError(RuntimeError):
    """A server of the control plane ended by itself; the message has the end of its log."""


class Tether:
    """A process group that ends when this Python process does, however that happens, SIGKILL included.

    Its leader is a shell that waits on a pipe. Nobody writes to the pipe; it closes when we are gone, then the shell
    removes `directory` and kills the group. Being no part of the terminal's group, the servers do not see its Ctrl-C.
    (PR_SET_PDEATHSIG would be Linux only, and follows the *thread* that started a server: one restarted from a worker
    thread would die with that thread.)
    """

    def __init__(self, directory: Path) -> None:
        script = 'trap "" INT TERM HUP; read -r _; rm -rf -- "$1"; kill -KILL 0'
        command = ["sh", "-c", script, "sh", str(directory)]
        quiet = subprocess.DEVNULL
        self._shell = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, process_group=0)
        self.group = self._shell.pid

    def release(self) -> None:
        """Kill the whole group now; what it started must still be waited for."""
        if self._shell.stdin:
            self._shell.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
        self._shell.wait()


class Server:
    """One server, which runs in `directory` and logs there."""

    def __init__(self, command: Sequence[str | Path], directory: Path, tether: Tether) -> None:
        self.name = Path(command[0]).name
        self.log = directory / f"{self.name}.log"
        self._command = command
        self._tether = tether
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there (a paused one is)."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; that it is ready is for the caller to find out."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
                process_group=self._tether.group,
            )

    def check(self) -> None:
        """Raise ServerError if the process was started and has ended without being asked to."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise ServerError(f"{self.name} ended with code {code}; the end of {self.log}:\n{self.log_tail()}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP to let the server hang and SIGCONT to let it go on."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self, patience: float = 15) -> None:
        """Ask the process to end; after `patience` seconds kill it."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self.kill()

    def kill(self) -> None:
        """End the process as a crash would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def log_tail(self, lines: int = 25) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
