"""`kubectl flow watch`: a live tree on a terminal, a line for each change everywhere else.

On a terminal a run is followed to its end. Elsewhere nobody may be there who could help, so it ends as well when a
person is needed, or when no operator looks at the run.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from flow_operator.adapters.clock import now
from flow_operator.api.duration import written
from flow_operator.cli.advice import advice
from flow_operator.cli.changes import changes
from flow_operator.cli.cluster import Cluster, Object
from flow_operator.cli.errors import Cannot
from flow_operator.cli.following import follow
from flow_operator.cli.headline import headline
from flow_operator.cli.terminal import is_terminal, print_error, print_line, screen
from flow_operator.cli.tree import render_run
from flow_operator.cli.view import RunView
from flow_operator.cli.waiting import GIVE_UP_SECONDS, versions
from flow_operator.cli.words import moment

_FRAMES_PER_SECOND = 4


class Outcome(IntEnum):
    """How following a run ended, as an exit code."""

    SUCCEEDED = 0
    FAILED = 1
    NEEDS_PERSON = 3


def watch(cluster: Cluster, name: str, start: Object | None = None, timeout: float | None = None) -> int:
    """Show a run until it has ended; the exit code says how. Raises Cannot when time is up."""
    try:
        if is_terminal():
            return _on_terminal(cluster, name, start, timeout)
        return _in_pipe(cluster, name, start, timeout)
    except KeyboardInterrupt:
        print_error(f"the run goes on; see it again with: {again(cluster, name)}")
        raise


def again(cluster: Cluster, name: str) -> str:
    """The command that follows a run."""
    return cluster.command("kubectl", "flow", "watch", name)


def _on_terminal(cluster: Cluster, name: str, start: Object | None, timeout: float | None) -> Outcome:
    picture = Picture(cluster.options)
    within = math.inf if timeout is None else timeout
    with Live(get_renderable=lambda: picture, console=screen(), refresh_per_second=_FRAMES_PER_SECOND) as live:
        for run in follow(cluster, name, start, within, trouble=picture.tell):
            view = RunView.of(run)
            picture.run = run
            if picture.levels is None and view.status.revision:
                definition = cluster.definition(run)
                picture.levels = definition.dag.levels if definition else ()
            if view.ended:
                live.refresh()
                return _outcome(view)
    raise _time_is_up(cluster, name, timeout)


def _in_pipe(cluster: Cluster, name: str, start: Object | None, timeout: float | None) -> Outcome:
    seen: RunView | None = None
    for run in versions(cluster, name, start, timeout, _tell):
        if run is None:
            assert seen is not None
            _print_ways(seen, cluster, "the operator has not looked at this run yet; what to check")
            continue
        view = RunView.of(run)
        _print(changes(seen, view))
        if view.needs_person:
            _print_ways(view, cluster, "a person is needed; what you can do")
        if view.needs_person or view.ended:
            _print([headline(view, now()).plain])
            return _outcome(view)
        seen = view
    raise _time_is_up(cluster, name, timeout)


def _outcome(run: RunView) -> Outcome:
    if not run.ended:
        return Outcome.NEEDS_PERSON
    return Outcome.SUCCEEDED if run.succeeded else Outcome.FAILED


def _time_is_up(cluster: Cluster, name: str, timeout: float | None) -> Cannot:
    if timeout is None:
        what = (
            f"the operator has not looked at {name} in {written(GIVE_UP_SECONDS)}: it stays, and starts once one does"
        )
    else:
        what = f"{name} has not ended in {written(timeout)}: it goes on"
    return Cannot(f"{what}; see it again with: {again(cluster, name)}")


def _tell(trouble: str) -> None:
    _print([trouble or "connected again"])


def _print_ways(run: RunView, cluster: Cluster, title: str) -> None:
    _print(f"{title}: {command}  # {meaning}" for command, meaning in advice(run, now(), cluster.options))


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
