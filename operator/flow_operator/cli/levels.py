"""The steps of a run by level, as lines of the picture: a branch for each, or quiet levels folded into one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich.text import Text

from flow_operator.api.status import Phase, StepStatus
from flow_operator.cli.words import STYLES, SYMBOLS, text
from flow_operator.engine.state import DONE


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the picture, or several at once of which nothing more is to be said."""

    guide: str
    below: str = ""
    """The guide of what stands below it."""
    step: StepStatus | None = None
    summary: Text | None = None


def lines(steps: Sequence[StepStatus], levels: Sequence[Sequence[str]] | None, *, folded: bool) -> list[Line]:
    """The steps level by level; those that no level names stand at the end. `folded` saves room."""
    by_id = {step.id: step for step in steps}
    known = [[by_id[id] for id in level if id in by_id] for level in levels or ()]
    named = {step.id for level in known for step in level}
    groups = [(str(number), level) for number, level in enumerate(known, 1) if level]
    if rest := [step for step in steps if step.id not in named]:
        groups.append(("", rest))
    drawn = list(_folded(groups) if folded else _branches(groups))
    width = max((len(line.guide) for line in drawn), default=0)
    return [replace(line, guide=line.guide.rjust(width), below=line.below.rjust(width)) for line in drawn]


def _branches(groups: Iterable[tuple[str, Sequence[StepStatus]]]) -> Iterator[Line]:
    for label, level in groups:
        for place, step in enumerate(level):
            first, last = place == 0, place == len(level) - 1
            branch = ("─" if last else "┬") if first else ("└" if last else "├")
            yield Line(f"{label if first else ''} {branch}─", "  " if last else "│ ", step)


def _folded(groups: Sequence[tuple[str, Sequence[StepStatus]]]) -> Iterator[Line]:
    """Neighbouring levels in which all is done, or nothing has begun, become one line each."""
    waiting = list(groups)
    while waiting:
        kind = _quiet(waiting[0][1])
        run = 0
        while kind is not None and run < len(waiting) and _quiet(waiting[run][1]) is kind:
            run += 1
        steps = [step for _, level in waiting[:run] for step in level]
        if kind is None or len(steps) == 1:
            yield from _branches(waiting[:1])
            waiting = waiting[1:]
        else:
            first, last = waiting[0][0], waiting[run - 1][0]
            label = first if first == last else f"{first}…{last}"
            said = "done" if kind is Phase.SUCCESS else "Pending"
            yield Line(f"{label} ──", summary=text(f"{SYMBOLS[kind]} {len(steps)} steps {said}", STYLES[kind]))
            waiting = waiting[run:]


def _quiet(level: Sequence[StepStatus]) -> Phase | None:
    """Success when all steps are done, Pending when none has begun; None when there is more to say."""
    if any(step.compensation is not None for step in level):
        return None
    if all(step.phase in DONE for step in level):
        return Phase.SUCCESS
    return Phase.PENDING if all(step.phase is Phase.PENDING for step in level) else None
