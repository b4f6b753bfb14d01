"""What became different in a run, one line each: for pipes and logs."""

from collections.abc import Iterator

from flow_operator.api.status import CallStatus, LastCommand, Phase
from flow_operator.cli.view import RunView, lost_attempts
from flow_operator.cli.words import clean, precise

Said = dict[tuple[str, str], str]
"""What is said of each subject: a kind of subject, and the step that it is about."""


def changes(before: RunView | None, after: RunView) -> Iterator[str]:
    """The lines that say something new; before the first look, all but the steps that have not begun."""
    old = _said(before) if before is not None else {}
    new = [(subject, line) for subject, line in _said(after).items() if line != old.get(subject)]
    for subject, line in sorted(new, key=_rank):
        yield clean(f"{' '.join(subject).strip()}: {line}")


def _rank(told: tuple[tuple[str, str], str]) -> int:
    """In the order in which it was: a command, what ended, what then began, and what that makes of the run."""
    (kind, step), line = told
    if not step:
        return 0 if kind == "command" else 3
    return 2 if line.startswith("Running") else 1


def _said(run: RunView) -> Said:
    said: Said = {("run", ""): _run(run)}
    for step in run.status.steps:
        if step.phase is not Phase.PENDING:
            said["", step.id] = _call(step) + (f"; {step.fallback} took over" if step.fallback else "")
        if step.compensation is not None and step.compensation.phase is not Phase.PENDING:
            said["undo of", step.id] = _call(step.compensation)
    if run.status.last_command is not None:
        said["command", ""] = _command(run.status.last_command)
    return said


def _run(run: RunView) -> str:
    status = run.status
    why = f" ({status.reason}{f': {status.message}' if status.message else ''})" if status.reason else ""
    compensation = status.compensation and status.compensation.phase
    undo = f", compensation {compensation}" if compensation else ""
    return f"{status.phase}{why}{undo}{', ended' if run.ended else ''}"


def _call(call: CallStatus) -> str:
    if not call.attempts:
        return f"{call.phase}{_why(call)}"
    if call.next_attempt_time is not None:
        due = precise(call.next_attempt_time)
        return f"attempt {call.attempts} failed, effect {call.effect}{_why(call)}; next at {due}"
    if call.phase is Phase.RUNNING:
        return f"Running, attempt {call.attempts}{_again(call)}"
    return f"{call.phase}, effect {call.effect}, attempts {call.attempts}{_why(call)}"


def _again(call: CallStatus) -> str:
    lost = sum(record.attempt == call.attempts for record in lost_attempts(call))
    return f" again, for the operator stopped before an answer was stored ({lost} lost)" if lost else ""


def _why(call: CallStatus) -> str:
    return f" ({call.reason}{f': {call.message}' if call.message else ''})" if call.reason else ""


def _command(command: LastCommand) -> str:
    return f"{command.verb} {command.result}: {command.message}"
