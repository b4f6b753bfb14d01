"""What a run has done so far, and what can be asked about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.engine.world import World

from flow_operator.api.status import Effect, ExecutionStatus, StepStatus
from flow_operator.engine.compensation import undone
from flow_operator.engine.contract import Attempt, Plan
from flow_operator.engine.definitions.definition import Definition


@dataclass
class History:
    """All that a run has done so far."""

    world: World
    definition: Definition
    before: ExecutionStatus = field(default_factory=ExecutionStatus)
    recorded: ExecutionStatus = field(default_factory=ExecutionStatus)
    """The status before, with the answers that came since."""
    sent: list[Attempt] = field(default_factory=list)
    new_keys: int = 0
    checks: Sequence["Check"] = ()

    def look(self) -> Plan:
        """Look at the run, and check everything."""
        self.recorded = self.world.status
        plan = self.world.look()
        for check in self.checks:
            check(self, plan)
        self.before = plan.status
        self.sent += plan.attempts
        return plan

    def first(self, attempt: Attempt) -> bool:
        """Whether this call was never attempted before."""
        return all((other.step, other.direction) != (attempt.step, attempt.direction) for other in self.sent)

    def has_undo_to_come(self, step: StepStatus) -> bool:
        """Whether this step has an undo, and may have had an effect that is not undone."""
        has_undo = self.definition.by_id[step.id].compensate is not None
        return has_undo and step.effect is not Effect.NONE and not undone(step)

    def later(self, id: str) -> set[str]:
        """All that required this step, directly or not; a fallback requires its owner, and whatever requires the owner
        requires the fallback."""
        before = {step.id: set(step.requires) for step in self.definition.steps}
        for step in self.definition.steps:
            if step.fallback:
                before[step.fallback].add(step.id)
                for other in self.definition.steps:
                    if step.id in other.requires:
                        before[other.id].add(step.fallback)
        found: set[str] = set()
        while more := {other for other, needs in before.items() if needs & {id, *found}} - found:
            found |= more
        return found - {id}


Check = Callable[[History, Plan], None]
"""Fails when a plan breaks a rule."""
