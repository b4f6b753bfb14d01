"""Models: values that are read leniently and written without what goes without saying."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from tests.api.objects_table import accepted

from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.reasons import Reason
from flow_operator.api.status import (
    CallStatus,
    Effect,
    ExecutionStatus,
    Phase,
    StepStatus,
    WorkflowStatus,
)
from flow_operator.api.step import Backoff, CompensateBackoff, CompensateRetry, Outcome, Retry, StepSpec, Timeout
from flow_operator.api.workflow import INLINE_FIELDS, POLICY_FIELDS, Compensation, WorkflowSpec, WorkflowStep

SPECS: dict[str, type[StepSpec | WorkflowSpec | ExecutionSpec]] = {
    "Step": StepSpec,
    "Workflow": WorkflowSpec,
    "WorkflowExecution": ExecutionSpec,
}
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_defaults_are_those_of_the_semantics() -> None:
    assert Retry().document() == {"limit": 3}
    assert Backoff().document() == {"duration": "1s", "factor": 2, "cap": "1m", "jitter": 0.5}
    assert CompensateRetry().document() == {"limit": 20}
    assert CompensateBackoff().document() == {"duration": "5s", "factor": 2, "cap": "10m", "jitter": 0.5}
    assert Timeout().document() == {"connect": "5s", "request": "30s"}
    assert Compensation().document() == {"mode": "Auto"}
    assert Outcome().document() == {"success": ["2xx"], "retry": [408, 425, 429, "5xx"], "failureEffect": "None"}


def test_parents_stay_out_unless_given() -> None:
    step = StepSpec.model_validate({"endpoint": {"url": "http://a"}})
    assert (step.input, step.timeout, step.retry, step.outcome, step.compensate) == (None,) * 5


@pytest.mark.parametrize("document", accepted(), ids=lambda one: one["metadata"]["name"])
def test_what_is_written_is_read_as_the_same(document: dict[str, Any]) -> None:
    model = SPECS[document["kind"]]
    value = model.model_validate(document["spec"])
    assert model.model_validate(value.document()) == value


def test_fields_of_a_newer_version_are_ignored() -> None:
    spec = ExecutionSpec.model_validate({"workflowRef": {"name": "a", "cluster": "b"}, "priority": 1})
    assert spec.document() == {"workflowRef": {"name": "a"}, "suspend": False}


def test_values_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Retry().limit = 5  # type: ignore[misc]


def test_a_workflow_step_has_every_field_of_a_step() -> None:
    assert set(WorkflowStep.model_fields) >= set(INLINE_FIELDS)
    assert set(POLICY_FIELDS) == set(INLINE_FIELDS) - {"endpoint", "input", "output"}


def test_all_that_breaks_a_rule_is_said_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        WorkflowStep.model_validate({"id": "self", "retry": {}})
    assert "the id self is reserved" in str(caught.value)
    assert "exactly one of stepRef and endpoint must be given" in str(caught.value)


def test_a_status_writes_what_is_not_its_default() -> None:
    assert CallStatus(phase=Phase.PENDING).document() == {"phase": "Pending"}
    assert ExecutionStatus().document() == {"observedGeneration": -1, "phase": "Pending"}
    step = StepStatus(id="a", phase=Phase.RUNNING, effect=Effect.UNKNOWN, attempts=1, start_time=NOW)
    assert step.document() == {
        "id": "a",
        "phase": "Running",
        "effect": "Unknown",
        "attempts": 1,
        "startTime": "2026-01-02T03:04:05Z",
    }


def test_a_status_is_read_as_the_same() -> None:
    status = ExecutionStatus(
        observed_generation=2,
        phase=Phase.RUNNING,
        reason=Reason.RUNNING,
        start_time=NOW,
        steps=(StepStatus(id="a", phase=Phase.SUCCESS, compensation=CallStatus(phase=Phase.PENDING)),),
    )
    assert ExecutionStatus.model_validate(status.document()) == status


def test_the_status_that_the_api_server_fills_in_is_that_of_the_models() -> None:
    assert ExecutionStatus.model_validate({"observedGeneration": -1, "phase": "Pending"}) == ExecutionStatus()
    assert WorkflowStatus.model_validate({"observedGeneration": -1}) == WorkflowStatus()


def test_a_reason_is_a_word_with_a_meaning() -> None:
    assert Reason("StepNotFound") is Reason.STEP_NOT_FOUND
    assert f"{Reason.STEP_NOT_FOUND}" == "StepNotFound"
    for reason in Reason:
        assert reason.value == "".join(word.capitalize() for word in reason.name.split("_"))
        assert reason.where
        assert reason.meaning.endswith(".")
