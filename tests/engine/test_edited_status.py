"""A status that somebody edited, or restored: no step is where it should be, and nothing breaks.

What the definition does not know is left alone, and what is missing has never started (semantics: Status).
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.driving import GOOD, begin, carry_out
from tests.engine.history import History
from tests.engine.strategies import ANYTHING, Move, workflows
from tests.engine.world import SERVICE_URL, World, reread

from flow_operator.api.status import Direction, ExecutionStatus, Phase
from flow_operator.engine.contract import Outcome, Plan
from flow_operator.engine.definitions.definition import Definition
from flow_operator.engine.planning import plan
from flow_operator.engine.readiness import definition_of
from flow_operator.engine.recording import record
from flow_operator.engine.size import size_of

TWO_STEPS = {
    "steps": [
        {"id": "reserve", "endpoint": {"url": "http://service/reserve"}},
        {"id": "charge", "requires": ["reserve"], "endpoint": {"url": "http://service/charge"}},
    ]
}

Document = dict[str, Any]


def edited(world: World, *steps: Document, **changes: Any) -> ExecutionStatus:
    """The status of this world with these steps, read again as the API server has it."""
    return ExecutionStatus.model_validate({**world.stored.document(), "steps": list(steps), **changes})


def planned(world: World, status: ExecutionStatus) -> Plan:
    """What is planned on this status by a process that is calling what the world is calling."""
    return plan(world.run, world.definition, status, set(world.in_flight), world.now, "new", SERVICE_URL)


def outcome(world: World, step: str) -> Outcome:
    """The service has answered the call in flight of this step."""
    attempt = world.attempt_of(Direction.DO, step)
    return Outcome(attempt.id, step, Direction.DO, GOOD, world.now, world.now)


def test_an_outcome_of_a_step_that_is_not_there_leaves_the_status_as_it_is() -> None:
    world = begin(TWO_STEPS).world
    assert isinstance(world.definition, Definition)
    status = edited(world, {"id": "charge", "phase": "Pending"})
    assert record(world.run, world.definition, status, outcome(world, "reserve"), world.now) is status


def test_an_outcome_of_a_step_that_the_definition_does_not_know_leaves_the_status_as_it_is() -> None:
    world = begin(TWO_STEPS).world
    assert isinstance(world.definition, Definition)
    foreign = {**world.stored.document()["steps"][0], "id": "foreign"}
    status = edited(world, *world.stored.document()["steps"], foreign)
    about_it = replace(outcome(world, "reserve"), step="foreign")
    assert record(world.run, world.definition, status, about_it, world.now) is status


def test_a_step_that_is_missing_has_never_started() -> None:
    world = begin(TWO_STEPS).world
    status = edited(world, {"id": "charge", "phase": "Pending"})
    after = planned(world, status)
    assert [step.id for step in after.status.steps] == ["reserve", "charge"]
    assert [(attempt.step, attempt.number) for attempt in after.attempts] == [("reserve", 1)]
    assert after.cut == set(world.in_flight), "the status does not know the call that was in flight"


def test_a_step_that_the_definition_does_not_know_is_kept_and_means_nothing() -> None:
    world = begin(TWO_STEPS).world
    reserved = {"id": "reserve", "phase": "Success", "effect": "Applied"}
    foreign = {"id": "foreign", "phase": "Failure", "effect": "Applied", "fallback": "foreign"}
    after = planned(world, edited(world, foreign, reserved, {"id": "charge", "phase": "Success"}))
    assert after.status.phase is Phase.SUCCESS
    assert after.status.progress == "2/2"
    assert [step.id for step in after.status.steps] == ["reserve", "charge", "foreign"]
    assert after.status.steps[2].document() == foreign


def test_the_first_of_two_entries_of_a_step_counts() -> None:
    world = begin(TWO_STEPS).world
    first = {"id": "reserve", "phase": "Success", "effect": "Applied"}
    second = {"id": "reserve", "phase": "Failure", "reason": "edited"}
    after = planned(world, edited(world, first, second, {"id": "charge", "phase": "Success"}))
    assert after.status.phase is Phase.SUCCESS
    assert [step.phase for step in after.status.steps] == [Phase.SUCCESS, Phase.SUCCESS, Phase.FAILURE]


def test_what_is_kept_of_an_unknown_step_counts_in_the_size_of_the_object() -> None:
    world = begin(TWO_STEPS).world
    foreign = {"id": "foreign", "phase": "Pending", "message": "x" * 300_000}
    after = planned(world, edited(world, *world.stored.document()["steps"], foreign))
    assert size_of(world.run, after.status) > 300_000
    assert any(each.type == "LargeStatus" and each.status == "True" for each in after.status.conditions)


def test_a_run_that_has_ended_is_left_as_it_is() -> None:
    history = begin({"steps": TWO_STEPS["steps"][:1]})
    history.world.observe(Direction.DO, "reserve", GOOD)
    history.look()
    status = edited(history.world, {"id": "foreign", "phase": "Failure", "fallback": "foreign"})
    assert planned(history.world, status).status is status


def test_a_definition_without_an_undo_forgets_one_that_was_edited_in() -> None:
    world = begin(TWO_STEPS).world
    undone = {"id": "reserve", "phase": "Success", "effect": "Applied", "compensation": {"phase": "Running"}}
    after = planned(world, edited(world, undone, {"id": "charge", "phase": "Success"}))
    assert after.status.phase is Phase.SUCCESS
    assert after.status.steps[0].compensation is None


@st.composite
def mutilations(draw: st.DrawFn, history: History) -> Document:
    """The status that is stored, with steps removed, repeated, renamed and filled with what does not belong there."""
    document = history.world.stored.document()
    ids = [*(step["id"] for step in document.get("steps", ())), "foreign", ""]
    steps = []
    for step in document.get("steps", ()):
        match draw(st.sampled_from(["keep", "keep", "keep", "remove", "repeat", "rename", "field", "link", "bare"])):
            case "keep":
                steps.append(step)
            case "repeat":
                steps += [step, {**step, "phase": draw(st.sampled_from(list(Phase))).value}]
            case "rename":
                steps.append({**step, "id": draw(st.sampled_from(ids))})
            case "field":
                steps.append({**step, "foreign": {"anything": [1, None]}})
            case "link":
                undo = {"phase": draw(st.sampled_from(["Pending", "Running", "Suspend", "Failure", "Success"]))}
                steps.append({**step, "fallback": draw(st.sampled_from(ids)), "compensation": undo})
            case "bare":
                steps.append({"id": step["id"], "phase": draw(st.sampled_from(list(Phase))).value})
    for field in draw(st.lists(st.sampled_from(["trace", "compensation", "conditions", "startTime", "progress"]))):
        document.pop(field, None)
    return {**document, "steps": draw(st.permutations(steps))}


@settings(max_examples=200)
@given(workflows(), ANYTHING, st.data())
def test_no_status_breaks_a_plan_or_a_record(spec: Document, moves: list[Move], data: st.DataObject) -> None:
    history = begin(spec)
    for move in moves:
        carry_out(history, move)
    world, definition = history.world, definition_of("order", spec, {})
    assert isinstance(definition, Definition)
    outcomes = [
        Outcome(attempt.id, attempt.step, attempt.direction, GOOD, world.now, world.now)
        for attempt in world.in_flight.values()
    ]
    status = ExecutionStatus.model_validate(data.draw(mutilations(history)))
    flying = set(world.in_flight)
    for number in range(6):
        for each in outcomes:
            status = record(world.run, definition, status, each, world.now)
        planned = plan(world.run, definition, status, flying, world.now, f"edited-{number}", SERVICE_URL)
        status = reread(planned.status)
        assert status == planned.status
        flying = (flying - planned.cut) | {attempt.id for attempt in planned.attempts}
        outcomes = [
            Outcome(attempt.id, attempt.step, attempt.direction, GOOD, world.now, world.now)
            for attempt in planned.attempts
        ]
        world.wait(timedelta(seconds=20))
