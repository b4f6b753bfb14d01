"""A small world for one run: a clock that only moves when it is told to, and services that say what they are told to.

It does what the shell does, in the order in which the shell does it: plan, remember, act; record. After each planning
it proves what must be true of every one.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.reasons import Reason
from flow_operator.api.status import Direction, ExecutionStatus
from flow_operator.engine.contract import Attempt, Blocked, CallId, Command, Outcome, Plan, Run
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.messages.observation import Observation
from flow_operator.engine.planning import plan
from flow_operator.engine.recording import record
from flow_operator.engine.state import call_of

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
SERVICE_URL = "http://{service}.{namespace}.svc:{port}/{method}"


@dataclass
class World:
    """One run, what is stored of it, and what is in flight."""

    definition: Definition | Unresolved = field(default_factory=lambda: Unresolved(Reason.WORKFLOW_NOT_FOUND, "none"))
    spec: dict[str, Any] = field(default_factory=lambda: {"workflowRef": {"name": "order"}})
    status: ExecutionStatus = field(default_factory=ExecutionStatus)
    in_flight: dict[str, Attempt] = field(default_factory=dict)
    now: datetime = BEGINNING
    generation: int = 1
    command: Command | None = None
    outside_bytes: int = 500
    wake_at: datetime | None = None
    plans: int = 0
    writes: int = 0
    """How often a status had to be stored at once."""
    stored: ExecutionStatus = field(default_factory=ExecutionStatus)
    blocked: dict[CallId, Blocked] = field(default_factory=dict)
    """Calls that may not be sent, whoever asks."""
    sent: list[Attempt] = field(default_factory=list)
    """Every attempt so far."""

    def look(self) -> Plan:
        """Plan, remember, act."""
        planned = self._plan()
        for attempt in planned.cut:
            del self.in_flight[attempt]
        self.in_flight |= {attempt.id: attempt for attempt in planned.attempts}
        self.sent += planned.attempts
        self.writes += planned.urgent and planned.status != self.stored
        self.status = self.stored = planned.status
        self.wake_at = planned.wake_at
        self._must_hold()
        return planned

    def attempt_of(self, direction: Direction, id: str) -> Attempt:
        """The attempt in flight of this call."""
        call = call_of(self.status, id, direction)
        assert call is not None, f"{id} has no {direction} call"
        attempt = self.in_flight.get(call.attempt_id or "")
        assert attempt is not None, f"no attempt of {direction} {id} is in flight"
        return attempt

    def observe(self, direction: Direction, id: str, observation: Observation) -> None:
        """This came of the attempt in flight; it is recorded, and not looked at yet."""
        attempt = self.in_flight.pop(self.attempt_of(direction, id).id)
        call = call_of(self.status, id, direction)
        began = (call and call.attempt_time) or self.now
        outcome = Outcome(attempt.id, id, direction, observation, began, self.now)
        assert isinstance(self.definition, Definition)
        once = record(self.run, self.definition, self.status, outcome, self.now)
        assert record(self.run, self.definition, once, outcome, self.now) is once, "an outcome counted twice"
        self.status = once

    def order(self, verb: str, args: dict[str, Any] | None = None) -> None:
        """A person annotates the run. The annotation stays until the next one: the same id acts once."""
        self.command = Command(id=f"command-{self.plans}", verb=verb, args=args, by="kubectl-annotate")

    def crash(self) -> None:
        """The operator is killed: what is in memory is lost, what is stored is read again."""
        self.in_flight.clear()
        self.status = reread(self.stored)

    def wait(self, length: timedelta) -> None:
        """Time passes."""
        self.now += length

    @property
    def run(self) -> Run:
        """The run besides its status."""
        spec = ExecutionSpec.model_validate(self.spec)
        return Run("shop", "order-1", "uid", self.generation, spec, self.command, self.outside_bytes)

    def _plan(self) -> Plan:
        self.plans += 1
        nonce = f"nonce-{self.plans}"
        return plan(
            self.run, self.definition, self.status, set(self.in_flight), self.now, nonce, SERVICE_URL, self.blocked
        )

    def _must_hold(self) -> None:
        """Planning again changes nothing, the status survives being stored, and nothing is due that was not done."""
        again = self._plan()
        assert (again.status, again.attempts, again.cut, again.events) == (self.status, (), frozenset(), ())
        assert reread(self.status) == self.status
        assert self.wake_at is None or self.wake_at > self.now
        running = {call.attempt_id for step in self.status.steps for call in (step, step.compensation) if call}
        assert running - {None} >= set(self.in_flight), "something is in flight that the status does not know"


def reread(status: ExecutionStatus) -> ExecutionStatus:
    """A status after it was stored and read."""
    return ExecutionStatus.model_validate(json.loads(json.dumps(status.document())))
