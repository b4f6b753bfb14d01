"""`kubectl flow watch`: a live tree on a terminal, a line for each change everywhere else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from flow_operator.adapters.clock import now
from flow_operator.cli.advice import advice
from flow_operator.cli.changes import changes
from flow_operator.cli.cluster import Cluster, Object
from flow_operator.cli.following import follow
from flow_operator.cli.headline import headline
from flow_operator.cli.terminal import is_terminal, print_line, screen
from flow_operator.cli.tree import render_run
from flow_operator.cli.view import RunView
from flow_operator.cli.words import moment

SUCCEEDED, FAILED = 0, 1
_FRAMES_PER_SECOND = 4


def watch(cluster: Cluster, name: str, start: Object | None = None) -> int:
    """Show a run until it has ended; the exit code says how."""
    showing = _on_terminal if is_terminal() else _in_pipe
    return SUCCEEDED if showing(cluster, name, start).succeeded else FAILED


def _on_terminal(cluster: Cluster, name: str, start: Object | None) -> RunView:
    picture = Picture(cluster.options)
    with Live(get_renderable=lambda: picture, console=screen(), refresh_per_second=_FRAMES_PER_SECOND) as live:
        for run in follow(cluster, name, start, trouble=picture.tell):
            view = RunView.of(run)
            picture.run = run
            if picture.levels is None and view.status.revision:
                definition = cluster.definition(run)
                picture.levels = definition.dag.levels if definition else ()
            if view.ended:
                live.refresh()
                return view
    raise AssertionError("following ends only with the run")


def _in_pipe(cluster: Cluster, name: str, start: Object | None) -> RunView:
    seen: RunView | None = None
    for run in follow(cluster, name, start, trouble=_tell):
        view = RunView.of(run)
        _print(changes(seen, view))
        if view.waiting and not (seen and seen.waiting):
            _print(f"what you can do: {command}  # {meaning}" for command, meaning in advice(view, cluster.options))
        if view.ended:
            _print([headline(view, now()).plain])
            return view
        seen = view
    raise AssertionError("following ends only with the run")


def _tell(trouble: str) -> None:
    _print([trouble or "connected again"])


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print_line(f"{moment(now())} {line}")


@dataclass
class Picture:
    """The newest known state of a run, drawn as of the moment at which it is looked at, and to fit the terminal."""

    options: tuple[str, ...]
    run: Object | None = None
    levels: Sequence[Sequence[str]] | None = None
    trouble: str = ""

    def tell(self, trouble: str) -> None:
        """The connection is in trouble, or (with an empty text) works again."""
        self.trouble = trouble

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.run is not None:
            whole = render_run(self.run, self.levels, now(), self.options)
            if len(console.render_lines(whole, options, pad=False)) < console.height:
                yield whole
            else:
                yield render_run(self.run, self.levels, now(), self.options, folded=True)
        if self.trouble:
            yield Text(f"! {self.trouble}; trying again", style="bold red")
