"""Types `kubectl flow …`: a process of its own, with pipes or with a terminal."""

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FLOW = (sys.executable, "-W", "error", "-m", "flow_operator.cli")
WITHIN = 60.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


class Person:
    """Has a kubeconfig whose context is in a namespace."""

    def __init__(self, kubeconfig: Path, namespace: str | None = None) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("FLOW_", "NO_COLOR"))},
            "KUBECONFIG": str(kubeconfig),
            "TERM": "xterm",
            "COLUMNS": "120",
            "LINES": "50",
        }
        self.options = ("-n", namespace) if namespace else ()

    def flow(self, *words: str, stdin: str = "") -> Said:
        """Run a command to its end."""
        done = subprocess.run(
            [*FLOW, *words, *self.options],
            input=stdin,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command whose output is read while it runs."""
        return subprocess.Popen(
            [*FLOW, *words, *self.options],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def at_terminal(self, *words: str) -> "Terminal":
        """Start a command on a terminal."""
        return Terminal([*FLOW, *words, *self.options], self.environment)


class Terminal:
    """A command that believes it is on a terminal."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self.screen, theirs = pty.openpty()
        self.process = subprocess.Popen(
            words, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
        )
        os.close(theirs)
        self.shown = ""

    def read_until(self, text: str) -> None:
        """Read what appears until some text has."""
        while text not in self.shown:
            piece = self._read()
            assert piece, f"it ended without {text!r}: {self.shown}"

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        os.close(self.screen)
        return self.process.wait(WITHIN)

    @property
    def plain(self) -> str:
        """All that was shown, without what moves the cursor."""
        return _ESCAPES.sub("", self.shown)

    def _read(self) -> str:
        piece = b""
        with suppress(OSError):  # how Linux says that the other side of a terminal is closed
            piece = os.read(self.screen, 65536)
        self.shown += piece.decode(errors="replace")
        return piece.decode(errors="replace")
