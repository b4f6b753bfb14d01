"""A run, drawn: the headline, the steps by level, the plan of the undo, and what a person can do.

A pure function from the object, the levels and the time, so that `describe`, the live `watch` and the demo draw the
same picture, and tests compare it as text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from flow_operator.api.status import Phase
from flow_operator.cli.advice import advice, remark
from flow_operator.cli.headline import headline
from flow_operator.cli.levels import Line, lines
from flow_operator.cli.rows import GIVE_WAY, HEADING, Row, row
from flow_operator.cli.view import RunView
from flow_operator.cli.words import clean, moment, text
from flow_operator.engine.expressions.json_text import write
from flow_operator.engine.messages.payload import load
from flow_operator.engine.state import in_flight

TEXT_WIDTH = 120
OUTPUT_CHARACTERS = 500
_WOULD_BE = "Would be undone, in this order:"


def render_run(
    execution: Mapping[str, Any],
    levels: Sequence[Sequence[str]] | None,
    now: datetime,
    access: tuple[str, ...] = (),
    *,
    folded: bool = False,
) -> RenderableType:
    """The picture of a run. Without `levels` its steps stand in the order of the status. Raises Unreadable.

    `access` holds the options (such as --context) that the commands to be copied need to reach the same cluster;
    `folded` leaves out the steps of which there is nothing to say.
    """
    run = RunView.of(execution)
    parts: list[RenderableType] = [headline(run, now), *_facts(run)]
    if run.status.steps:
        parts += ["", *_steps(run, levels, now, folded)]
    for section in (_plan(run), _last_command(run), _ways_out(run, now, access)):
        if section:
            parts += ["", *section]
    return Group(*parts)


def render_text(
    execution: Mapping[str, Any],
    levels: Sequence[Sequence[str]] | None,
    now: datetime,
    access: tuple[str, ...] = (),
    width: int = TEXT_WIDTH,
) -> str:
    """The same as plain text: no colours, no control characters, no blanks at the end of a line."""
    console = Console(file=StringIO(), width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(render_run(execution, levels, now, access))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _facts(run: RunView) -> Iterator[RenderableType]:
    status = run.status
    facts = [f"Workflow {run.workflow}", f"namespace {run.namespace}"]
    facts += [f"{status.progress} steps done"] if status.progress else []
    facts += [f"started {moment(status.start_time)}"] if status.start_time else []
    yield _indented(text(" · ".join(facts), "dim"))
    if status.message:
        yield _indented(text(f"{status.reason}: {status.message}"))
    if status.output is not None:
        yield _indented(text(f"output {_short(write(load(status.output.document())))}"))


@dataclass(frozen=True, slots=True)
class Note:
    """Text that goes on below the branches of the tree, however often it is wrapped."""

    guide: str
    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.text.wrap(console, max(1, options.max_width - len(self.guide))):
            yield Text().append(self.guide, style="dim").append_text(line)


@dataclass(frozen=True, slots=True)
class Tree:
    """A table whose first column is the tree. Where it is too wide for the terminal, columns give way, not the tree."""

    indent: str
    rows: Sequence[tuple[Line, Row | None]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = [HEADING, *(each.cells for _, each in self.rows if each)]
        widths = [max(cell.cell_len for cell in column) for column in zip(*table, strict=True)]
        shown = set(range(len(widths)))
        for column in GIVE_WAY:
            if len(self.indent) + sum(widths[each] + 2 for each in shown) - 1 > options.max_width:
                shown.discard(column)
        columns = [(place, widths[place]) for place in sorted(shown)]
        yield _line(self.indent, HEADING, columns)
        for line, each in self.rows:
            if each is None:
                yield _line(f"{line.guide} ", (line.summary or Text(),), ((0, 0),))
            else:
                yield _line(f"{line.guide} ", each.cells, columns)
                yield from (Note(f"{line.below}    ", note) for note in each.notes)


def _line(guide: str, cells: Sequence[Text], columns: Sequence[tuple[int, int]]) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis").append(guide, style="dim")
    for place, width in columns:
        line.append(" ").append_text(cells[place]).append(" " * (width - cells[place].cell_len + 1))
    line.rstrip()
    return line


def _steps(
    run: RunView, levels: Sequence[Sequence[str]] | None, now: datetime, folded: bool
) -> Iterator[RenderableType]:
    """The tree, each step a row; below a row, what is wrong there."""
    compensation = run.status.compensation
    going_back = compensation is not None and compensation.phase is not None
    planned = {undo.step for undo in (compensation.plan if compensation and going_back else None) or ()}
    drawn = lines(run.status.steps, levels, folded=folded)
    yield Tree(
        " " * (len(drawn[0].guide) + 1),
        tuple((line, row(line.step, line.step.id in planned, now) if line.step else None) for line in drawn),
    )


def _plan(run: RunView) -> list[RenderableType]:
    compensation = run.status.compensation
    plan = (compensation.plan if compensation else None) or ()
    going_back = compensation is not None and compensation.phase is not None
    flying = {step.id: step for step in run.status.steps if in_flight(step)} if run.frozen and not going_back else {}
    if not plan and not flying:
        return []
    by_id = {step.id: step for step in run.status.steps}
    title = f"Undo, in this order: {compensation.phase}" if going_back and compensation else _WOULD_BE
    said: list[RenderableType] = [text(title, "bold")]
    for number, undo in enumerate(plan, 1):
        call = by_id[undo.step].compensation if undo.step in by_id else None
        after = f", after {', '.join(undo.after)}" if undo.after else ""
        phase = f": {call.phase if call else Phase.PENDING}" if going_back else ""
        still = f"; in flight, effect so far {by_id[undo.step].effect}" if undo.step in flying else ""
        said.append(_indented(text(f"{number}. {undo.step}{after}{phase}{still}")))
    for step in flying.values():
        if step.id not in {undo.step for undo in plan}:
            maybe = "before these, if it has an undo and was done" if plan else "if it has an undo and was done"
            said.append(_indented(text(f"{step.id}, {maybe}: in flight, effect so far {step.effect}")))
    return said


def _last_command(run: RunView) -> list[RenderableType]:
    last = run.status.last_command
    if last is None:
        return []
    style = "" if last.result == "Accepted" else "yellow"
    by = f" by {last.by}" if last.by else ""
    return [text(f"Last command: {last.verb}{by}, at {moment(last.time)}: {last.result}: {last.message}", style)]


def _ways_out(run: RunView, now: datetime, access: tuple[str, ...]) -> list[RenderableType]:
    said: list[RenderableType] = [_remarked(line) for line in remark(run)]
    ways = advice(run, now, access)
    if not ways:
        return said
    said.append(Text("What you can do:", style="bold"))
    for command, meaning in ways:
        line = Text(clean(command), style="bold cyan", no_wrap=True, overflow="ignore")
        said += [_indented(line), _indented(text(f"# {meaning}", "dim"), 4)]
    return said


def _remarked(line: str) -> RenderableType:
    words = line.lstrip()
    return _indented(text(words, "yellow"), len(line) - len(words))


def _short(words: str) -> str:
    return words if len(words) <= OUTPUT_CHARACTERS else f"{words[:OUTPUT_CHARACTERS]}…"


def _indented(renderable: RenderableType, by: int = 2) -> Padding:
    return Padding(renderable, (0, 0, 0, by), expand=False)
