"""What a verb is given, and how it says that it is not possible."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from flow_operator.api.status import ExecutionStatus
from flow_operator.engine.contract import Command, Run
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.suspension import release


class Rejected(Exception):
    """The command is not possible; the message says why, and the way out."""


class Args(BaseModel):
    """Arguments of a verb; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, frozen=True)


@dataclass(frozen=True, slots=True)
class CommandContext:
    """A command, and all that it is judged by besides the status."""

    run: Run
    definition: Definition | Unresolved
    now: datetime
    command: Command

    @property
    def by(self) -> str:
        """Who gave it, as the end of a sentence."""
        return f" by {self.command.by}" if self.command.by else ""

    def resolved(self) -> Definition:
        """The definition of a run that has started. Raises Rejected."""
        if isinstance(self.definition, Unresolved):
            raise Rejected(f"the definition of the run is not there: {self.definition.message}")
        return self.definition

    def released(self, status: ExecutionStatus) -> ExecutionStatus:
        """The run, not suspended any more."""
        return release(status, self.run.generation, self.now)


CommandResult = tuple[ExecutionStatus, str]
"""The new status and what to say."""


def not_ended(status: ExecutionStatus) -> None:
    """Raises Rejected when the run has ended."""
    if status.completion_time is not None:
        raise Rejected(f"the run has ended: {status.phase}")
