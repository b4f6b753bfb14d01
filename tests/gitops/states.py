"""Runs and definitions in every state, made by the real engine, as the API server would hold them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cli.stories import begin, execution_of
from tests.engine.scenario import Story

from flow_operator.api.meta import API_VERSION
from flow_operator.api.status import DefinitionStatus, WorkflowStatus
from flow_operator.engine.readiness import resolution, step_status, workflow_status

Object = dict[str, Any]

PICTURES = Path(__file__).parents[1] / "cli" / "golden"
"""The stories of the pictures that `kubectl flow` draws: a run in every state that it tells apart."""
MORE = {
    "frozen_while_undoing": "start\nanswer reserve 200\nanswer fraud 422\ncommand suspend",
    "frozen_while_parked": "start\nanswer reserve 200\nanswer fraud 422\nanswer undo reserve 403\ncommand suspend",
    "lifted": "spec suspend=true\nstart\nspec suspend=false",
    "held_again": "spec suspend=true\nstart\ncommand suspend",
    "aborted_before_the_start": "missing workflow\nstart\ncommand abort",
    "aborted_and_undone": "start\nanswer reserve 200\ncommand abort\nanswer fraud 200\nanswer undo reserve 200",
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALL = {"endpoint": {"url": "http://stock/reserve"}}
WRONG = {"endpoint": {"url": "http://stock/reserve"}, "input": {"body": "${nonsense("}}


def stories() -> dict[str, Story]:
    """Every story of a run, by its name."""
    told = {path.stem: path.read_text().split("\n====\n")[0].rstrip("\n") for path in sorted(PICTURES.glob("*.txt"))}
    return {name: begin(directives) for name, directives in (told | MORE).items()}


def run_of(story: Story) -> Object:
    """The run as an object, with the metadata that an API server adds."""
    run = execution_of(story)
    run["metadata"] |= {"resourceVersion": "41", "managedFields": [{"manager": "argocd", "fieldsV1": {"f:spec": {}}}]}
    return run


def definitions() -> dict[str, Object]:
    """Steps and Workflows in every state, by a name for it."""
    new = {"observedGeneration": -1}
    refers = {"steps": [{"id": "a", "stepRef": {"name": "reserve"}}]}
    wrong = _workflow({"steps": [{"id": "a", "requires": ["nobody"], **CALL}]})
    return {
        "new step": _object("Step", CALL, new),
        "step": _step(CALL),
        "wrong step": _step(WRONG),
        "step whose change was not seen yet": _changed(_step(CALL)),
        "wrong step whose change was not seen yet": _changed(_step(WRONG)),
        "new workflow": _object("Workflow", refers, new),
        "workflow without its step": _workflow(refers),
        "workflow whose step is wrong": _workflow(refers, reserve=WRONG),
        "workflow": _workflow(refers, reserve=CALL),
        "wrong workflow": wrong,
        "mended workflow": _workflow(refers, wrong["status"], reserve=CALL),
        "workflow whose change was not seen yet": _changed(_workflow(refers, reserve=CALL)),
    }


def _object(kind: str, spec: Object, status: Object) -> Object:
    metadata = {"name": "order", "namespace": "shop", "generation": 3}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def _step(spec: Object) -> Object:
    return _object("Step", spec, step_status(3, spec, DefinitionStatus(), NOW).document())


def _workflow(spec: Object, before: Object | None = None, **steps: Object) -> Object:
    previous = WorkflowStatus.model_validate(before or {})
    return _object("Workflow", spec, workflow_status(resolution("order", spec, steps), 3, previous, NOW).document())


def _changed(object: Object) -> Object:
    return {**object, "metadata": {**object["metadata"], "generation": 4}}
