"""Verbs given by annotation (semantics: Verbs): each is accepted, or rejected with a reason, and never ignored.

The id of the last command is in the status, stored by the very write that acts on it: the same id acts once, also
across a crash.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from flow_operator.api.status import ExecutionStatus, LastCommand
from flow_operator.engine.command_context import CommandContext, Rejected
from flow_operator.engine.contract import Command, Run
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.definitions.field_mistakes import explain, without_alternatives
from flow_operator.engine.expressions.json_text import TooBig, survives, weigh
from flow_operator.engine.messages.limits import MESSAGE_CHARACTERS
from flow_operator.engine.size import brief
from flow_operator.engine.verbs import VERBS

LONGEST: Final = 63
"""Characters of a verb that are kept."""


def apply_command(
    run: Run, definition: Definition | Unresolved, status: ExecutionStatus, now: datetime
) -> ExecutionStatus:
    """The status after the command of the run, if it has one that was not answered yet."""
    command = run.command
    if command is None or (status.last_command is not None and status.last_command.id == command.id):
        return status
    try:
        changed, message = _act(CommandContext(run, definition, now, command), status)
        accepted = True
    except Rejected as refusal:
        changed, message, accepted = status, str(refusal), False
    answer = LastCommand(
        id=command.id,
        verb=command.verb[:LONGEST],
        args=_kept(command.args),
        result="Accepted" if accepted else "Rejected",
        message=brief(message),
        time=now,
        by=command.by,
    )
    return changed.model_copy(update={"last_command": answer})


def _kept(args: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The arguments as they are stored: whole if they are small and plain, else not at all."""
    given = dict(args) if args else None
    try:
        weigh(given, MESSAGE_CHARACTERS)
    except TooBig:
        return None
    return given if survives(given) else None


def _act(context: CommandContext, status: ExecutionStatus) -> tuple[ExecutionStatus, str]:
    command: Command = context.command
    verb = VERBS.get(command.verb)
    if verb is None:
        raise Rejected(f"unknown verb {command.verb[:LONGEST]!r}: use one of {', '.join(VERBS)}")
    if command.args is None:
        raise Rejected("the annotation command-args is not a JSON object")
    try:
        args = verb.args.model_validate(dict(command.args))
    except ValidationError as error:
        findings = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {explain(each)}" for each in without_alternatives(error.errors())
        )
        raise Rejected(f"arguments of {command.verb}: {findings}") from None
    return verb.act(context, status, args)
