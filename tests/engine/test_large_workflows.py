"""What a plan and a record of a large workflow cost: the calls of Python functions that they make, not the time.

With twice as many steps there are about twice as many calls. What depends on the definition alone is computed with its
first run and not counted.
"""

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

import pytest
from tests.engine.world import BEGINNING, SERVICE_URL, reread

from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.status import Direction, ExecutionStatus, Phase
from flow_operator.engine.contract import Attempt, Outcome, Plan, Run
from flow_operator.engine.definitions.definition import Definition
from flow_operator.engine.messages.observation import Answered
from flow_operator.engine.planning import plan
from flow_operator.engine.readiness import definition_of
from flow_operator.engine.recording import record
from flow_operator.engine.size import size_of

Result = TypeVar("Result")

RUN = Run("shop", "order-1", "uid", 1, ExecutionSpec.model_validate({"workflowRef": {"name": "order"}}), None, 500)
SMALL, LARGE = 40, 80
"""Numbers of steps."""
NEARLY_TWICE = 2.3

GOOD, BAD = Answered(200, {}, b'{"id": 7}'), Answered(422, {}, b"no")


def fan(size: int) -> dict[str, Any]:
    """Half of the steps require all of the other half, and are sent one output each: all would be a square of bytes."""
    first = [_step(f"a{number}") for number in range(size // 2)]
    before, one = [step["id"] for step in first], {"body": {"id": "${steps.a0.output.id}"}}
    return {"steps": [*first, *(_step(f"b{number}", requires=before, input=one) for number in range(size // 2))]}


def chain(size: int) -> dict[str, Any]:
    """Each step requires the one before it."""
    return {"steps": [_step(f"s{number}", requires=[f"s{number - 1}"] if number else []) for number in range(size)]}


def pairs(size: int) -> dict[str, Any]:
    """Steps with fallbacks, each owner requiring the owner before it."""
    steps = []
    for number in range(size // 2):
        before = [f"owner{number - 1}"] if number else []
        steps += [_step(f"owner{number}", requires=before, fallback=f"instead{number}"), _step(f"instead{number}")]
    return {"steps": steps}


def _step(id: str, **fields: Any) -> dict[str, Any]:
    undo = {"endpoint": {"url": f"http://service/undo-{id}"}}
    return {"id": id, "endpoint": {"url": f"http://service/{id}"}, "compensate": undo, **fields}


class Calls:
    """The most calls of Python functions that one plan, and one record, of a run has made."""

    def __init__(self, spec: dict[str, Any], bad: str | None = None) -> None:
        """Every call succeeds but the one to do the step `bad`."""
        definition = definition_of("order", spec, {})
        assert isinstance(definition, Definition)
        self.definition, self.bad = definition, bad
        self.status = ExecutionStatus()
        self.most: Counter[str] = Counter()
        for _ in range(2):  # the first run is for what is computed once
            self.most.clear()
            self._whole_run()

    def _whole_run(self) -> None:
        self.status, flying = ExecutionStatus(), dict[str, Attempt]()
        for number in range(10 * len(self.definition.steps)):
            planned = self._counted("plan", lambda: self._plan(number, flying))  # noqa: B023
            self.status = planned.status
            assert size_of(RUN, self.status) == 500 + len(_text(self.status).encode())
            if self.status.completion_time is not None:
                return
            flying = {attempt.id: attempt for attempt in planned.attempts}
            for attempt in flying.values():
                self.status = self._counted("record", lambda: self._record(attempt))  # noqa: B023
            flying.clear()
        raise AssertionError("the run does not end")

    def _plan(self, number: int, flying: dict[str, Attempt]) -> Plan:
        return plan(RUN, self.definition, self.status, set(flying), BEGINNING, f"nonce-{number}", SERVICE_URL)

    def _record(self, attempt: Attempt) -> ExecutionStatus:
        observed = BAD if (attempt.step, attempt.direction) == (self.bad, Direction.DO) else GOOD
        outcome = Outcome(attempt.id, attempt.step, attempt.direction, observed, BEGINNING, BEGINNING)
        return record(RUN, self.definition, self.status, outcome, BEGINNING)

    def _counted(self, what: str, act: Callable[[], Result]) -> Result:
        made = 0

        def profile(_frame: FrameType, event: str, _: object) -> None:
            nonlocal made
            made += event == "call"

        sys.setprofile(profile)
        try:
            return act()
        finally:
            sys.setprofile(None)
            self.most[what] = max(self.most[what], made)


def _text(status: ExecutionStatus) -> str:
    return status.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True)


@pytest.mark.parametrize(
    ("shape", "bad"),
    [(fan, None), (fan, "b"), (chain, None), (chain, "s"), (pairs, None), (pairs, "owner")],
    ids=["fan", "fan that is undone", "chain", "chain that is undone", "pairs", "pairs with a fallback"],
)
@pytest.mark.parametrize("what", ["plan", "record"])
def test_twice_the_steps_take_about_twice_the_calls(
    shape: Callable[[int], dict[str, Any]], bad: str | None, what: str
) -> None:
    def last(size: int) -> str | None:
        ids = [step["id"] for step in shape(size)["steps"]]
        return bad and max((id for id in ids if id.startswith(bad)), key=ids.index)

    small, large = Calls(shape(SMALL), last(SMALL)), Calls(shape(LARGE), last(LARGE))
    assert large.most[what] <= NEARLY_TWICE * small.most[what]


def test_the_largest_workflow_is_undone_in_the_reverse_order() -> None:
    run = Calls(fan(200), "b99")
    assert run.status.phase is Phase.FAILURE
    assert run.status == reread(run.status)
    compensation = run.status.compensation
    assert compensation is not None
    assert compensation.plan is not None
    after = {undo.step: set(undo.after) for undo in compensation.plan}
    firsts, seconds = {f"a{number}" for number in range(100)}, {f"b{number}" for number in range(99)}
    assert after == dict.fromkeys(firsts, seconds) | {id: set() for id in seconds}
