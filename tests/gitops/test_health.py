"""What kstatus (Flux, Helm) and Argo CD say of every state."""

from tests.gitops.judge import Judge
from tests.gitops.states import definitions, run_of, stories

from flow_operator.api.status import CompensationPhase, Phase

IN_PROGRESS = "InProgress", "Progressing"
SUSPENDED = "InProgress", "Suspended"
FAILED = "Failed", "Degraded"
CURRENT = "Current", "Healthy"
"""What kstatus says, and what Argo CD says."""

DEFINITIONS = {
    "new step": IN_PROGRESS,
    "step": CURRENT,
    "wrong step": FAILED,
    "step whose change was not seen yet": IN_PROGRESS,
    "wrong step whose change was not seen yet": IN_PROGRESS,
    "new workflow": IN_PROGRESS,
    "workflow without its step": IN_PROGRESS,
    "workflow whose step is wrong": IN_PROGRESS,
    "workflow": CURRENT,
    "wrong workflow": FAILED,
    "mended workflow": CURRENT,
    "workflow whose change was not seen yet": IN_PROGRESS,
}
RUNS = {
    "aborted": IN_PROGRESS,
    "aborted_and_undone": FAILED,
    "aborted_before_the_start": FAILED,
    "aborted_without_undo": FAILED,
    "command_rejected": IN_PROGRESS,
    "failed_awaiting": IN_PROGRESS,
    "failure_invalid_input": FAILED,
    "failure_undone": FAILED,
    "failure_without_undo": FAILED,
    "frozen_while_parked": FAILED,
    "frozen_while_undoing": SUSPENDED,
    "given_up": FAILED,
    "held_again": SUSPENDED,
    "lifted": IN_PROGRESS,
    "lost_attempt": IN_PROGRESS,
    "parked": FAILED,
    "pending": IN_PROGRESS,
    "pending_held": SUSPENDED,
    "pending_without_workflow": FAILED,
    "request_changed": FAILED,
    "retried": IN_PROGRESS,
    "revision_lost": FAILED,
    "running": IN_PROGRESS,
    "running_in_flight": IN_PROGRESS,
    "skipped_by_hand": FAILED,
    "success": CURRENT,
    "suspended": SUSPENDED,
    "undoing": IN_PROGRESS,
}


def test_definitions(judge: Judge) -> None:
    judged = {name: (judge.kstatus(each), judge.health(each)[0]) for name, each in definitions().items()}
    assert judged == DEFINITIONS


def test_runs(judge: Judge) -> None:
    runs = {name: run_of(story) for name, story in stories().items()}
    judged = {name: (judge.kstatus(run), judge.health(run)[0]) for name, run in runs.items()}
    assert judged == dict(sorted(RUNS.items()))


def test_a_run_whose_change_was_not_seen_yet_is_in_progress(judge: Judge) -> None:
    for story in stories().values():
        run = run_of(story)
        run["metadata"]["generation"] += 1
        assert (judge.kstatus(run), judge.health(run)[0]) == IN_PROGRESS


def test_the_message_says_why(judge: Judge) -> None:
    told = stories()
    assert judge.health(run_of(told["parked"])) == ("Degraded", "charge: UnexpectedCode: HTTP 403 (4/7)")
    assert judge.health(run_of(told["pending_held"])) == ("Suspended", "spec.suspend is true")
    assert judge.health(run_of(told["success"])) == ("Healthy", "Succeeded (7/7)")
    status, message = judge.health(definitions()["wrong workflow"])
    assert (status, message) == ("Degraded", "spec.steps[0].requires[0]: there is no step nobody in this workflow")
    status, message = judge.health(definitions()["workflow without its step"])
    assert (status, message) == ("Progressing", "no Step named reserve in this namespace")


def test_no_state_is_forgotten() -> None:
    statuses = [story.world.status for story in stories().values()]
    assert {status.phase for status in statuses} == set(Phase) - {Phase.SKIPPED}
    backward = {status.compensation.phase for status in statuses if status.compensation}
    assert backward - {None} == set(CompensationPhase)
