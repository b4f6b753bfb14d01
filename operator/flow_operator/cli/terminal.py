"""Standard output and error, as they are: a terminal with colours, or a pipe without."""

import sys

from rich.console import Console

from flow_operator.cli.words import clean


def is_terminal() -> bool:
    """Whether a picture can be redrawn in place."""
    return sys.stdout.isatty() and not screen().is_dumb_terminal


def screen() -> Console:
    """Where renderables go. NO_COLOR is honoured."""
    return Console(file=sys.stdout, force_terminal=sys.stdout.isatty(), highlight=False)


def print_line(line: str) -> None:
    """One line, seen at once."""
    print(line, flush=True)


def print_error(message: str) -> None:
    """One line on standard error."""
    print(clean(message), file=sys.stderr, flush=True)
