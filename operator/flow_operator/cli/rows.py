"""One step as a row of the picture, and the notes below it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rich.text import Text

from flow_operator.api.reasons import Reason
from flow_operator.api.status import CallStatus, Effect, Phase, StepStatus
from flow_operator.cli.headline import next_attempt
from flow_operator.cli.view import last_attempt, lost_attempts
from flow_operator.cli.words import EFFECT_STYLES, STYLES, SYMBOLS, elapsed, span, text
from flow_operator.engine.state import in_flight

HEADING = tuple(Text(name, style="dim") for name in ("STEP", "PHASE", "EFFECT", "ATTEMPTS", "TIME", "UNDO"))
GIVE_WAY = (3, 4, 1, 2, 5)
"""The columns that a narrow terminal does without, the first one first: the symbol still says the phase."""
_WELL_KNOWN = frozenset({Reason.FALLBACK_NOT_NEEDED, Reason.DEPENDENCY_SKIPPED})
"""Reasons that a person understands without the message."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a step, and what stands below them."""

    cells: tuple[Text, ...]
    notes: tuple[Text, ...]


def row(step: StepStatus, planned: bool, now: datetime) -> Row:
    """A step at this moment. `planned` says that the plan of the undo names it."""
    style = STYLES[step.phase]
    called = step.attempts > 0
    cells = (
        text(f"{SYMBOLS[step.phase]} {step.id}", style),
        text(step.phase, style),
        text("" if not called or _open(step) else step.effect, EFFECT_STYLES[step.effect]),
        text(step.attempts if called else ""),
        text(_time(step, now)),
        _undo(step, planned),
    )
    return Row(cells, tuple(_notes(step, now)))


def _open(step: StepStatus) -> bool:
    """Whether None would be said too early: a first attempt is in flight."""
    return step.effect is Effect.NONE and in_flight(step)


def _time(call: CallStatus, now: datetime) -> str:
    if call.start_time is None:
        return ""
    return span(call.start_time, call.completion_time) if call.completion_time else elapsed(call.start_time, now)


def _undo(step: StepStatus, planned: bool) -> Text:
    undo = step.compensation
    if undo is None or undo.phase is Phase.PENDING:
        return text(f"{SYMBOLS[Phase.PENDING]} planned" if planned or undo else "", "dim")
    said = {Phase.SUCCESS: "undone", Phase.SUSPEND: "parked", Phase.FAILURE: "given up"}.get(undo.phase, undo.phase)
    if undo.reason == Reason.SKIPPED_BY_COMMAND:
        said = "undone by hand"
    attempts = f" #{undo.attempts}" if undo.attempts > 1 or undo.phase is not Phase.SUCCESS else ""
    return text(f"{SYMBOLS[undo.phase]} {said}{attempts}", STYLES[undo.phase])


def _notes(step: StepStatus, now: datetime) -> Iterator[Text]:
    if step.fallback is not None:
        yield text(f"{step.fallback} took over", "cyan")
    yield from _note("", step, now)
    if step.compensation is not None:
        yield from _note("undo: ", step.compensation, now)


def _note(prefix: str, call: CallStatus, now: datetime) -> Iterator[Text]:
    """Why a call is where it is, and when it goes on."""
    if call.reason is not None:
        message = "" if call.reason in _WELL_KNOWN or not call.message else f": {call.message}"
        yield text(f"{prefix}{call.reason}{message}", STYLES[call.phase])
    if call.reason == Reason.COMPENSATION_GIVEN_UP and (last := last_attempt(call)):
        yield text(f"{prefix}before that, {last}", STYLES[call.phase])
    if lost := lost_attempts(call):
        numbers = ", ".join(str(number) for number in sorted({record.attempt for record in lost}))
        yield text(
            f"{prefix}the answer of attempt {numbers} was lost: the operator stopped before it was stored", "yellow"
        )
    if waiting := next_attempt(call, now):
        yield text(f"{prefix}{waiting}", STYLES[call.phase])
