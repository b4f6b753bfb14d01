"""Text scenarios: a file tells a story in directives; below each `----` stands what the engine made of it.

    # A sentence that says what this file shows.
    workflow                      spec of the Workflow: YAML in indented lines
    step NAME                     spec of a Step: YAML in indented lines
    input JSON                    body of the run's input
    rawinput TEXT                 the same as rawBody; `input big KIB` is a text of that size
    header NAME=VALUE             header of the run's input
    outside KIB                   the object is this big without its status
    start                         the operator sees the run; from here on it plans after each directive
    answer [undo] STEP CODE [BODY]            the service answers (NAME=VALUE after CODE: its headers)
    big [undo] STEP CODE KIB                  it answers a text of this many KiB
    bytes [undo] STEP CODE HEX                it answers these bytes
    huge [undo] STEP CODE                     it answers more than is kept
    noanswer [undo] STEP [REASON]             something was sent, no complete answer came
    unsent [undo] STEP [REASON]               nothing was sent
    denied [undo] STEP                        the egress guard refused
    wait DURATION                             time passes
    command VERB [JSON]                       a person annotates the run
    bigskip STEP KIB                          a person skips it with an output of this many KiB
    spec suspend=true|false                   a person changes the spec
    noslot [undo] STEP                        no slot is free for this call; `slot [undo] STEP`: there is one again
    circuit [undo] STEP                       the circuit of its host is open; `slot [undo] STEP` closes it
    crash                                     the operator is killed and started again
    upgrade [undo] STEP                       a newer operator renders another request for it
    together                                  the directives below it, in indented lines, before one planning
    missing workflow|revision                 the definition is not there (any more); `found` brings it back
    show WHAT                                 see views.py; findings [STEP], levels, ready, writes, sent [undo] STEP

Printed are, after each directive: the run's line and each step's line if they changed, then what is sent, cut, posted.
`pytest --rewrite` writes what the engine does now into the files: read that diff as a change of the specification.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import yaml
from tests.engine import parser, printer, views
from tests.engine.world import BEGINNING, World

from flow_operator.api.duration import seconds
from flow_operator.api.reasons import Reason
from flow_operator.api.status import ExecutionStatus, WorkflowStatus
from flow_operator.api.step import StepSpec
from flow_operator.engine.contract import Blocked
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.definitions.field_findings import parsed
from flow_operator.engine.definitions.findings import step_findings, workflow_findings
from flow_operator.engine.expressions.json_text import NotJSON, parse
from flow_operator.engine.readiness import definition_of, resolution, workflow_status
from flow_operator.engine.state import call_of, replaced, with_call

Lines = Iterator[str] | None


class Story:
    """A scenario being played."""

    def __init__(self) -> None:
        self.world = World()
        self.workflow: Any = None
        self.steps: dict[str, Any] = {}
        self.started = False
        self.shown = ExecutionStatus()

    def tell(self, directive: str, text: str) -> Iterator[str]:
        """Carry out one directive, and tell what became of it."""
        word, _, rest = directive.partition(" ")
        if word in parser.WORDS:
            self._observe(word, rest + text)
            yield from self._look()
            return
        act = getattr(self, f"_{word}")
        lines: Lines = act(rest, text)
        if lines is None:
            lines = self._look() if self.started else iter(())
        yield from lines

    # The stage

    def _workflow(self, _: str, text: str) -> None:
        self.workflow = yaml.safe_load(text)
        self._resolve()

    def _step(self, name: str, text: str) -> None:
        self.steps[name] = yaml.safe_load(text)
        self._resolve()

    def _input(self, rest: str, text: str) -> None:
        words = rest.split(" ")
        body = "x" * (int(words[1]) * 1024) if words[0] == "big" else json.loads(rest + text)
        self.world.spec.setdefault("input", {})["body"] = body

    def _rawinput(self, rest: str, _: str) -> None:
        self.world.spec.setdefault("input", {})["rawBody"] = rest

    def _header(self, rest: str, _: str) -> None:
        name, value = rest.split("=", 1)
        given = self.world.spec.setdefault("input", {}).setdefault("header", {})
        given[name] = value.encode().decode("unicode_escape")

    def _outside(self, kib: str, _: str) -> None:
        self.world.outside_bytes = int(kib) * 1024

    def _missing(self, what: str, _: str) -> None:
        reason = Reason.WORKFLOW_NOT_FOUND if what == "workflow" else Reason.REVISION_NOT_FOUND
        self.world.definition = Unresolved(reason, f"the {what} is not there")

    def _found(self, _: str, __: str) -> None:
        self._resolve()

    def _resolve(self) -> None:
        if self.workflow is not None and self.world.status.revision is None:
            self.world.definition = definition_of("order", self.workflow, self.steps)
            self.pinned = self.world.definition
        elif self.workflow is not None:
            self.world.definition = self.pinned

    # What happens

    def _start(self, _: str, __: str) -> None:
        self.started = True

    def _wait(self, duration: str, _: str) -> Iterator[str]:
        world, until = self.world, self.world.now + timedelta(seconds=seconds(duration))
        while world.wake_at is not None and world.wake_at <= until:
            world.now = world.wake_at
            lines = list(self._look())
            if lines:
                yield f"at {printer.moment(world.now - BEGINNING)}"
                yield from lines
        world.now = until
        yield from self._look()

    def _command(self, rest: str, _: str) -> None:
        verb, _, args = rest.partition(" ")
        try:
            given = parse(args) if args else {}
        except NotJSON:
            given = None
        self.world.order(verb, given if isinstance(given, dict) else None)

    def _bigskip(self, rest: str, _: str) -> None:
        step, kib = rest.split(" ")
        self.world.order("skip", {"step": step, "reason": "by hand", "output": "x" * (int(kib) * 1024)})

    def _spec(self, rest: str, _: str) -> None:
        self.world.spec["suspend"] = rest == "suspend=true"
        self.world.generation += 1

    def _crash(self, _: str, __: str) -> None:
        self.world.crash()

    def _noslot(self, rest: str, _: str) -> None:
        direction, id, _rest = parser.addressed(rest)
        self.world.blocked[id, direction] = Blocked(self.world.now)

    def _circuit(self, rest: str, _: str) -> None:
        direction, id, _rest = parser.addressed(rest)
        self.world.blocked[id, direction] = Blocked(self.world.now, circuit=f"{id}:80")

    def _slot(self, rest: str, _: str) -> None:
        direction, id, _rest = parser.addressed(rest)
        del self.world.blocked[id, direction]

    def _upgrade(self, rest: str, _: str) -> None:
        direction, id, _rest = parser.addressed(rest)
        call = call_of(self.world.status, id, direction)
        assert call is not None, rest
        assert call.request is not None, rest
        other = call.request.model_copy(update={"digest": "sha256:of-another-request"})
        self.world.stored = with_call(self.world.status, id, direction, replaced(call, request=other))
        self.world.crash()

    def _together(self, _: str, text: str) -> None:
        for line in text.splitlines():
            word, _, rest = line.strip().partition(" ")
            if word in parser.WORDS:
                self._observe(word, rest)
            elif word == "wait":
                self.world.wait(timedelta(seconds=seconds(rest)))
            else:
                getattr(self, f"_{word}")(rest, "")

    def _observe(self, word: str, rest: str) -> None:
        direction, id, said = parser.addressed(rest)
        self.world.observe(direction, id, parser.observation(word, said.strip()))

    def _look(self) -> Iterator[str]:
        before, planned = self.shown, self.world.look()
        self.shown = planned.status
        yield from printer.changes(before, planned, BEGINNING)

    # What is shown

    def _show(self, what: str, _: str) -> Iterator[str]:
        definition = self.world.definition
        match what.split(" "):
            case ["findings"]:
                return views.findings(workflow_findings(self.workflow, self._valid_steps()))
            case ["findings", name]:
                return views.findings(step_findings(self.steps[name]))
            case ["ready"]:
                found = resolution("order", self.workflow, self.steps)
                status = workflow_status(found, 1, WorkflowStatus(), self.world.now)
                return views.conditions(status.conditions)
            case ["levels"]:
                assert isinstance(definition, Definition)
                return iter([" | ".join(" ".join(level) for level in definition.dag.levels)])
            case ["writes"]:
                return iter([str(self.world.writes)])
            case ["sent", *_]:
                direction, id, _rest = parser.addressed(what.removeprefix("sent "))
                return views.sent([a for a in self.world.sent if (a.direction, a.step) == (direction, id)][-1])
        return views.show(self.world.status, what, BEGINNING)

    def _valid_steps(self) -> dict[str, StepSpec]:
        read = {name: parsed(StepSpec, raw)[0] for name, raw in self.steps.items()}
        return {name: spec for name, spec in read.items() if spec is not None}
