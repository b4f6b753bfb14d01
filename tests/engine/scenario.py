"""Text scenarios: a file tells a story in directives; below each `----` stands what the engine made of it.

    # A sentence that says what this file shows.
    workflow                      spec of the Workflow: YAML in indented lines
    step NAME                     spec of a Step: YAML in indented lines
    input JSON                    body of the run's input
    rawinput TEXT                 the same as rawBody
    header NAME=VALUE             header of the run's input
    start                         the operator sees the run; from here on it plans after each directive
    answer [undo] STEP CODE [BODY]            the service answers (NAME=VALUE after CODE: its headers)
    huge [undo] STEP CODE                     it answers more than is kept
    noanswer [undo] STEP [REASON]             something was sent, no complete answer came
    unsent [undo] STEP [REASON]               nothing was sent
    denied [undo] STEP                        the egress guard refused
    wait DURATION                             time passes
    command VERB [JSON]                       a person annotates the run
    spec suspend=true|false                   a person changes the spec
    crash                                     the operator is killed and started again
    together                                  the directives below it, in indented lines, before one planning
    missing workflow|revision                 the definition is not there (any more); `found` brings it back
    show STEP | run | conditions | plan | log [undo] STEP | request [undo] STEP | output | levels | findings

Printed are, after each directive: the run's line and each step's line if they changed, then what is sent, cut, posted.
`pytest --rewrite` writes what the engine does now into the files: read that diff as a change of the specification.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from tests.engine import telling

from flow_operator.api.duration import seconds
from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.reasons import Reason
from flow_operator.api.status import Direction, ExecutionStatus
from flow_operator.api.step import StepSpec
from flow_operator.engine.contract import Attempt, Command, Outcome, Plan, Run, Unresolved
from flow_operator.engine.definition import Definition
from flow_operator.engine.findings import workflow_findings
from flow_operator.engine.observation import Answered, Denied, NoAnswer, NotSent, Observation
from flow_operator.engine.planning import plan
from flow_operator.engine.readiness import definition_of
from flow_operator.engine.recording import record
from flow_operator.engine.state import call_of

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
SERVICE_URL = "http://{service}.{namespace}.svc:{port}/{method}"


@dataclass
class Story:
    """One run in a small world: a clock that only directives move, and services that say what they are told to."""

    workflow: Any = None
    steps: dict[str, Any] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=lambda: {"workflowRef": {"name": "order"}})
    definition: Definition | Unresolved = field(default_factory=lambda: Unresolved(Reason.WORKFLOW_NOT_FOUND, "none"))
    status: ExecutionStatus = field(default_factory=ExecutionStatus)
    in_flight: dict[str, Attempt] = field(default_factory=dict)
    now: datetime = BEGINNING
    generation: int = 1
    command: Command | None = None
    plans: int = 0
    started: bool = False
    wake_at: datetime | None = None
    shown: ExecutionStatus = field(default_factory=ExecutionStatus)

    def tell(self, directive: str, text: str) -> Iterator[str]:
        """Carry out one directive, and tell what became of it."""
        word, *rest = directive.split(" ", 1)
        act = getattr(self, f"_{word}")
        yield from act(rest[0] if rest else "", text) or ()

    # The stage

    def _workflow(self, _: str, text: str) -> None:
        self.workflow = yaml.safe_load(text)
        self._resolve()

    def _step(self, name: str, text: str) -> Iterator[str]:
        self.steps[name] = yaml.safe_load(text)
        self._resolve()
        return self._look() if self.started else iter(())

    def _input(self, rest: str, text: str) -> None:
        self.spec.setdefault("input", {})["body"] = json.loads(rest + text)

    def _rawinput(self, rest: str, _: str) -> None:
        self.spec.setdefault("input", {})["rawBody"] = rest

    def _header(self, rest: str, _: str) -> None:
        name, value = rest.split("=", 1)
        self.spec.setdefault("input", {}).setdefault("header", {})[name] = value.encode().decode("unicode_escape")

    def _missing(self, what: str, _: str) -> Iterator[str]:
        reason = Reason.WORKFLOW_NOT_FOUND if what == "workflow" else Reason.REVISION_NOT_FOUND
        self.definition = Unresolved(reason, f"the {what} is not there")
        return self._look() if self.started else iter(())

    def _found(self, _: str, __: str) -> Iterator[str]:
        self._resolve()
        return self._look()

    def _resolve(self) -> None:
        if self.workflow is not None:
            self.definition = definition_of("order", self.workflow, self.steps)

    # What happens

    def _start(self, _: str, __: str) -> Iterator[str]:
        self.started = True
        return self._look()

    def _wait(self, duration: str, _: str) -> Iterator[str]:
        until = self.now + timedelta(seconds=seconds(duration))
        while self.wake_at is not None and self.wake_at <= until:
            self.now = max(self.now, self.wake_at)
            lines = list(self._look())
            if lines:
                yield f"at {telling.moment(self.now - BEGINNING)}"
                yield from lines
        self.now = until
        yield from self._look()

    def _command(self, rest: str, _: str) -> Iterator[str]:
        verb, *args = rest.split(" ", 1)
        try:
            given = json.loads(args[0]) if args else {}
        except ValueError:
            given = None
        number = f"{telling.moment(self.now - BEGINNING)}-{self.plans}"
        self.command = Command(id=number, verb=verb, args=given, by="kubectl-annotate")
        return self._look()

    def _spec(self, rest: str, _: str) -> Iterator[str]:
        self.spec["suspend"] = rest == "suspend=true"
        self.generation += 1
        return self._look() if self.started else iter(())

    def _crash(self, _: str, __: str) -> Iterator[str]:
        self.in_flight.clear()
        self.status = ExecutionStatus.model_validate(json.loads(json.dumps(self.status.document())))
        return self._look()

    def _together(self, _: str, text: str) -> Iterator[str]:
        for line in text.splitlines():
            word, rest = line.strip().split(" ", 1)
            self._observe(word, rest)
        return self._look()

    def _answer(self, rest: str, text: str) -> Iterator[str]:
        self._observe("answer", rest + text.strip())
        return self._look()

    def _huge(self, rest: str, _: str) -> Iterator[str]:
        self._observe("huge", rest)
        return self._look()

    def _noanswer(self, rest: str, _: str) -> Iterator[str]:
        self._observe("noanswer", rest)
        return self._look()

    def _unsent(self, rest: str, _: str) -> Iterator[str]:
        self._observe("unsent", rest)
        return self._look()

    def _denied(self, rest: str, _: str) -> Iterator[str]:
        self._observe("denied", rest)
        return self._look()

    def _observe(self, kind: str, rest: str) -> None:
        direction, id, said = _addressed(rest)
        call = call_of(self.status, id, direction)
        assert call is not None, f"{id} has no {direction} call"
        attempt = self.in_flight.pop(call.attempt_id or "", None)
        assert attempt is not None, f"no attempt of {direction} {id} is in flight"
        outcome = Outcome(attempt.id, id, direction, _observation(kind, said), call.attempt_time or self.now, self.now)
        assert isinstance(self.definition, Definition)
        once = record(self._run(), self.definition, self.status, outcome, self.now)
        assert record(self._run(), self.definition, once, outcome, self.now) is once, "an outcome counted twice"
        self.status = once

    # What the operator makes of it

    def _look(self) -> Iterator[str]:
        before = self.shown
        planned = self._plan()
        for attempt in planned.cut:
            del self.in_flight[attempt]
        self.in_flight |= {attempt.id: attempt for attempt in planned.attempts}
        self.status, self.wake_at, self.shown = planned.status, planned.wake_at, planned.status
        self._must_hold()
        yield from telling.changes(before, planned, BEGINNING)

    def _plan(self) -> Plan:
        self.plans += 1
        nonce = f"nonce-{self.plans}"
        return plan(self._run(), self.definition, self.status, set(self.in_flight), self.now, nonce, SERVICE_URL)

    def _must_hold(self) -> None:
        """What is true of every plan: doing it again changes nothing, and it survives being stored and read."""
        again = self._plan()
        assert (again.status, again.attempts, again.cut, again.events) == (self.status, (), frozenset(), ())
        assert ExecutionStatus.model_validate(json.loads(json.dumps(self.status.document()))) == self.status

    def _run(self) -> Run:
        spec = ExecutionSpec.model_validate(self.spec)
        return Run("shop", "order-1", "uid", self.generation, spec, self.command, outside_bytes=500)

    # What is shown

    def _show(self, what: str, _: str) -> Iterator[str]:
        if what == "findings":
            return telling.findings(workflow_findings(self.workflow, self._valid_steps()))
        if what == "levels":
            assert isinstance(self.definition, Definition)
            return iter([" | ".join(" ".join(level) for level in self.definition.dag.levels)])
        return telling.show(self.status, what, BEGINNING)

    def _valid_steps(self) -> Any:
        return {name: StepSpec.model_validate(raw) for name, raw in self.steps.items()}


def _addressed(rest: str) -> tuple[Direction, str, str]:
    words = rest.split(" ", 1)
    if words[0] == "undo":
        return Direction.UNDO, *_addressed(words[1])[1:]
    return Direction.DO, words[0], words[1] if len(words) > 1 else ""


def _observation(kind: str, said: str) -> Observation:
    if kind == "noanswer":
        return NoAnswer(said or "RequestTimeout", "no answer in time")
    if kind == "unsent":
        return NotSent(said or "ConnectionRefused", "nobody listens there")
    if kind == "denied":
        return Denied("169.254.169.254 is link-local")
    code, _, rest = said.partition(" ")
    header: dict[str, str] = {}
    while given := re.match(r'([a-z-]+)=("[^"]*"|\S+)\s*', rest):
        header[given[1]] = given[2].strip('"')
        rest = rest[given.end() :]
    return Answered(int(code), header, rest.encode(), too_large=kind == "huge")
