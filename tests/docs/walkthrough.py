"""Does what a page tells its reader to do: saves its files, runs its commands, and compares what they print.

A comment before a code block says what it is for:

    <!-- file: NAME -->                  saved as NAME
    <!-- terminal: NAME, until: WORD --> started, and left running once it has printed WORD, if there is one
    <!-- fails -->                       its last command ends with an error
    <!-- every terminal -->              prepares a shell; the walk has prepared its own

Any other `console` block is run command by command. Below a command stands what it prints; `…` stands for anything.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.controlplane import eventually
from tests.controlplane.process import Tether

ANYTHING = "…"
_BLOCK = re.compile(r"(?:<!-- (?P<note>.+?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a page, and the note before it."""

    note: Mapping[str, str]
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, and what is printed then."""

    typed: str
    printed: str


def blocks(page: str) -> Iterator[Block]:
    """The code blocks of a page."""
    for found in _BLOCK.finditer(page):
        words = (word.partition(":") for word in (found["note"] or "").split(", ") if word)
        yield Block({name.strip(): value.strip() for name, _, value in words}, found["language"], found["text"])


def commands(text: str) -> Iterator[Command]:
    """The commands of a `console` block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        typed, _, printed = part.partition("\n")
        yield Command(typed, printed)


def matches(expected: str, printed: str) -> bool:
    """Whether that was printed, as far as the page says it; blanks count as one, and a line of `…` is any lines."""
    wanted, found = " ".join(expected.split()), " ".join(printed.split())
    return re.fullmatch(".*?".join(map(re.escape, wanted.split(ANYTHING))), found, re.DOTALL) is not None


class Walk:
    """One reader: a directory, an environment, and programs that are left running."""

    def __init__(self, directory: Path, environment: Mapping[str, str], tether: Tether) -> None:
        self._directory = directory
        self._environment = environment
        self._tether = tether
        self._running: list[subprocess.Popen[bytes]] = []

    def follow(self, page: str, *, provided: str) -> int:
        """Follow a page; the terminal `provided` is there already. How many commands there were."""
        count = 0
        for block in blocks(page):
            if "file" in block.note:
                (self._directory / block.note["file"]).write_text(block.text)
            elif block.language == "console" and "every terminal" not in block.note:
                for command in commands(block.text):
                    self._do(block, command, provided)
                    count += 1
        return count

    def end(self) -> None:
        """End what was left running."""
        for process in self._running:
            process.kill()
            process.wait()

    def _do(self, block: Block, command: Command, provided: str) -> None:
        terminal = block.note.get("terminal")
        if terminal is None:
            self._run(command, fails="fails" in block.note)
        elif terminal != provided:
            self._leave_running(command.typed, terminal, block.note.get("until", ""))

    def _run(self, command: Command, *, fails: bool) -> None:
        done = subprocess.run(
            ["bash", "-c", command.typed],
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = f"$ {command.typed}\n{done.stdout}{done.stderr}"
        assert done.returncode == 0 or fails, said
        assert matches(command.printed, done.stdout), f"{said}\nand the page says\n{command.printed}"

    def _leave_running(self, typed: str, terminal: str, until: str) -> None:
        log = self._directory / f"{terminal}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {typed}"],
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=self._tether.group,
            )
        self._running.append(process)
        eventually(lambda: until in log.read_text(), within=60, what=f"{typed} to print {until!r}; its log is {log}")
