"""What Argo CD offers to do with a run, and what it sends when a person does it."""

from typing import Any

import pytest
from tests.engine.scenario import Story
from tests.gitops.judge import Judge
from tests.gitops.states import Object, run_of, stories

from flow_operator.engine.commands import apply_command
from flow_operator.reconciler.commands import command_in

ACTIONS = {"suspend", "resume", "abort", "retry"}


def accepted(story: Story, verb: str) -> bool:
    """Whether the operator accepts a verb now."""
    story.world.plans += 1  # another id than the last command had
    story.world.order(verb, {})
    answer = apply_command(story.world.run, story.world.definition, story.world.status, story.world.now).last_command
    assert answer is not None
    return answer.result == "Accepted"


def test_what_is_offered_is_what_the_operator_accepts(judge: Judge) -> None:
    for name, story in stories().items():
        offered = judge.possible(run_of(story))
        assert offered == {verb for verb in ACTIONS if accepted(story, verb)}, name


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_an_action_is_a_command_with_an_id_and_nothing_else(judge: Judge, action: str) -> None:
    run = awkward(run_of(stories()["running"]))
    command = command_in(merged(run, judge.patches(run, action)))
    assert command is not None
    assert (command.verb, command.args, command.id) == (action, {}, f"{action}-41")


def test_an_action_takes_off_the_arguments_of_a_command_that_nobody_has_read_yet(judge: Judge) -> None:
    run = run_of(stories()["running"])
    run["metadata"]["annotations"] = {
        "flow.unistack.org/command": "abort",
        "flow.unistack.org/command-args": '{"compensate": false}',
        "team": "orders",
    }
    metadata = merged(run, judge.patches(run, "suspend"))
    assert metadata["annotations"] == {
        "flow.unistack.org/command": "suspend",
        "flow.unistack.org/command-id": "suspend-41",
        "team": "orders",
    }


def test_a_run_that_the_operator_has_not_seen_can_be_suspended(judge: Judge) -> None:
    run = run_of(stories()["pending"])
    del run["status"]
    assert judge.possible(run) == {"suspend", "abort"}
    assert merged(run, judge.patches(run, "suspend"))["annotations"]["flow.unistack.org/command"] == "suspend"


def awkward(run: Object) -> Object:
    """The run with values that Lua cannot keep: a null, an empty map, an integer beyond 2^53."""
    body: dict[str, Any] = {"nothing": None, "empty": {}, "list": [None, {}], "long": 2**53 + 1, "one": 1}
    run["spec"]["input"] = {"body": body}
    run["status"]["steps"][0]["response"] = {"code": 200, "body": body}
    return run


def merged(run: Object, patches: dict[str, Any]) -> Object:
    """The metadata after the patches, which touch nothing but annotations."""
    assert patches.keys() == {"object"}, "the status is the operator's"
    assert patches["object"].keys() == {"metadata"}
    assert patches["object"]["metadata"].keys() == {"annotations"}
    annotations = run["metadata"].get("annotations", {}) | patches["object"]["metadata"]["annotations"]
    kept = {name: value for name, value in annotations.items() if value is not None}
    return {**run["metadata"], "annotations": kept}
