"""The first line: what the run is doing, and since when."""

from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from flow_operator.api.status import CallStatus, CompensationPhase, Effect, Phase, StepStatus
from flow_operator.cli.view import RunView, names
from flow_operator.cli.words import STYLES, SYMBOLS, clean, length, moment, since, span
from flow_operator.engine.conditions import DEFINITION_REASONS
from flow_operator.engine.state import forward_over, in_flight

ATTENTION = "bold red"


def headline(run: RunView, now: datetime) -> Text:
    """One line, for somebody who was woken up by it."""
    symbol, style, doing, when = _said(run, now)
    return Text(clean(f"{symbol} {run.name} {doing}{f' · {when}' if when else ''}"), style=style)


def _said(run: RunView, now: datetime) -> tuple[str, str, str, str]:
    """Symbol, style, what it is doing, and since when."""
    status = run.status
    symbol, style = SYMBOLS[status.phase], STYLES[status.phase]
    if run.ended:
        return symbol, style, _end(run), _ended_when(run)
    if run.frozen:
        return symbol, style, _frozen(run), since(run.since("Suspended"), now)
    if status.phase is Phase.SUSPEND:
        return "!", ATTENTION, f"waits for a person: {_parked(run)}", since(run.since("Suspended"), now)
    if status.reason in DEFINITION_REASONS:
        goes_on = "go on" if status.start_time else "start"
        return "!", ATTENTION, f"cannot {goes_on}: {status.reason}", since(run.since("Stalled") or run.created, now)
    if status.start_time is None:
        return symbol, style, "waits to be started by the operator", since(run.created, now)
    if forward_over(status):
        return symbol, style, _going_back(run, now), since(run.since("Succeeded"), now)
    doing = ", ".join(_active(status.steps, now)) or "between two steps"
    return symbol, style, f"is running: {doing}", since(status.start_time, now)


def _end(run: RunView) -> str:
    compensation = run.status.compensation
    if run.succeeded:
        return "ended in Success"
    match compensation and compensation.phase:
        case CompensationPhase.SUCCESS:
            undone = "; what could be undone was undone"
        case CompensationPhase.FAILURE:
            undone = "; its undo was given up"
        case _:
            undone = "; nothing was undone" if left_in_effect(run) else "; nothing was to be undone"
    return f"ended in {run.status.phase}{undone}"


def _ended_when(run: RunView) -> str:
    end, start = run.status.completion_time, run.status.start_time
    assert end is not None
    return f"at {moment(end)}" + (f", after {span(start, end)}" if start else "")


def _frozen(run: RunView) -> str:
    flying = names(step for step in run.status.steps if any(in_flight(call) for call in _calls(step)))
    still = f"; the answer of {flying} is still awaited" if flying else ""
    return f"is suspended: nothing new is called{still}"


def _parked(run: RunView) -> str:
    doing = [step.id for step in run.waiting if step.phase is Phase.SUSPEND]
    undoing = [step.id for step in run.waiting if step.phase is not Phase.SUSPEND]
    parts = [", ".join(doing)] if doing else []
    return "; ".join([*parts, f"the undo of {', '.join(undoing)}"] if undoing else parts) or str(run.status.reason)


def _going_back(run: RunView, now: datetime) -> str:
    status = run.status
    what = "was aborted" if status.phase is Phase.ABORTED else "has failed"
    flying = names(step for step in status.steps if in_flight(step))
    undoing = ", ".join(
        f"{step.id}{_next(step.compensation, now)}"
        for step in status.steps
        if step.compensation and step.compensation.phase is Phase.RUNNING
    )
    if undoing:
        return f"{what} and is being undone: {undoing}"
    return f"{what}; the answer of {flying} is awaited first" if flying else f"{what} and is about to be undone"


def _active(steps: tuple[StepStatus, ...], now: datetime) -> Iterator[str]:
    for step in steps:
        if step.phase is Phase.RUNNING:
            yield f"{step.id}{_next(step, now)}"
        if step.compensation is not None and step.compensation.phase is Phase.RUNNING:
            yield f"undo of {step.id}{_next(step.compensation, now)}"


def _next(call: CallStatus, now: datetime) -> str:
    waiting = next_attempt(call, now)
    return f" ({waiting})" if waiting else ""


def next_attempt(call: CallStatus, now: datetime) -> str:
    """When a call that is backing off is tried again."""
    if call.next_attempt_time is None:
        return ""
    return f"next attempt in {length(max(0.0, (call.next_attempt_time - now).total_seconds()))}"


def left_in_effect(run: RunView) -> tuple[StepStatus, ...]:
    """Steps that had, or may have had, an effect that was not undone."""
    return tuple(
        step
        for step in run.status.steps
        if step.effect is not Effect.NONE
        and not (step.compensation is not None and step.compensation.phase is Phase.SUCCESS)
    )


def _calls(step: StepStatus) -> tuple[CallStatus, ...]:
    return (step, step.compensation) if step.compensation is not None else (step,)
