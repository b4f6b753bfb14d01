"""What the demo prints: on a terminal with colour, in a pipe without."""

import shlex
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 120


class Screen:
    """Headings, the commands that a person would type, and their output."""

    def __init__(self) -> None:
        console = Console(highlight=False, soft_wrap=True)
        self._console = console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=PIPE_WIDTH)

    @property
    def is_terminal(self) -> bool:
        """Whether this is a terminal, not a file or a pipe."""
        return self._console.is_terminal

    def heading(self, text: str) -> None:
        """The title of a part."""
        self._console.print()
        self._console.rule(f"[bold]{escape(text)}", align="left", characters="─")

    def fact(self, name: str, value: str) -> None:
        """One line of a list of facts."""
        self._console.print(f"  [bold]{escape(name):<13}[/] {escape(value)}")

    def note(self, text: str) -> None:
        """A sentence that explains."""
        self._console.print(Text(text, style="italic"))

    def command(self, words: Sequence[str]) -> None:
        """A command, before it runs."""
        self._console.print(Text(f"$ {shlex.join(words)}", style="bold cyan"))

    def output(self, text: str) -> None:
        """What a command printed."""
        if text.strip():
            self._console.print(Text(text.rstrip(), style="dim"))

    def good(self, text: str) -> None:
        """Something was checked and is as it should be."""
        self._console.print(Text(f"✔ {text}", style="green"))

    def bad(self, text: str) -> None:
        """Something was checked and is not as it should be."""
        self._console.print(Text(f"✘ {text}", style="bold red"))

    def table(self, table: Table) -> None:
        """A table."""
        self._console.print()
        self._console.print(table)
