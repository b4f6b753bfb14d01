"""What a run is pinned to (semantics: Definitions are pinned)."""

from typing import Any

import pytest

from flow_operator.api.reasons import Reason
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.readiness import definition_of

STEP: dict[str, Any] = {"endpoint": {"url": "http://s"}}


def defined(spec: dict[str, Any], **steps: dict[str, Any]) -> Definition:
    found = definition_of("order", spec, steps)
    assert isinstance(found, Definition), found
    return found


def inline(**fields: Any) -> dict[str, Any]:
    return {"steps": [{"id": "a", **STEP, **fields}]}


def test_every_default_is_filled_in() -> None:
    (step,) = defined(inline(compensate={"endpoint": {"url": "http://u"}})).steps
    undo = step.compensate
    assert undo is not None
    assert (step.connect_timeout, step.request_timeout, step.total_timeout) == ("5s", "30s", None)
    assert (undo.connect_timeout, undo.request_timeout) == ("5s", "30s")
    assert (step.retry.limit, undo.retry.limit) == (3, 20)
    assert step.retry.backoff.document() == {"duration": "1s", "factor": 2, "cap": "1m", "jitter": 0.5}
    assert undo.retry.backoff.document() == {"duration": "5s", "factor": 2, "cap": "10m", "jitter": 0.5}
    assert step.outcome.document() == {
        "success": ["2xx"], "retry": [408, 425, 429, "5xx"], "failureEffect": "None",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        ({}, {"retry": {}}),
        ({}, {"retry": {"limit": 3, "backoff": {}}}),
        ({}, {"timeout": {"connect": "5s"}}),
        ({}, {"outcome": {"success": ["2xx"]}}),
        ({}, {"requires": [], "acceptSkipped": []}),
        ({}, {"endpoint": {"url": "http://s", "httpMethod": "POST", "port": 80, "header": []}}),
        ({"compensate": STEP}, {"compensate": STEP | {"retry": {"limit": 20, "backoff": {"cap": "10m"}}}}),
    ],
)
def test_what_means_the_same_has_the_same_revision(shorter: dict[str, Any], longer: dict[str, Any]) -> None:
    assert defined(inline(**shorter)).revision == defined(inline(**longer)).revision


@pytest.mark.parametrize(
    "changed",
    [
        {"endpoint": {"url": "http://t"}},
        {"retry": {"limit": 4}},
        {"compensate": STEP},
        {"when": "true"},
        {"output": "${response.body}"},
        {"input": {"body": "x"}},
        {"timeout": {"total": "1h"}},
    ],
)
def test_what_means_something_else_has_another(changed: dict[str, Any]) -> None:
    assert defined(inline(**changed)).revision != defined(inline()).revision


def test_a_step_by_reference_and_the_same_inline_are_the_same() -> None:
    by_reference = defined({"steps": [{"id": "a", "stepRef": {"name": "s"}}]}, s=STEP)
    assert by_reference == defined(inline())


def test_the_revision_is_named_after_the_workflow_and_the_content() -> None:
    name, digest = defined(inline()).revision.rsplit("-", 1)
    assert name == "order"
    assert len(digest) == 12


def test_a_definition_survives_being_stored() -> None:
    found = defined(inline(compensate=STEP, output={"a": None, "b": 0.5}, retry={"backoff": {"jitter": 0}}))
    again = Definition.model_validate(found.document())
    assert again == found
    assert again.revision == found.revision


def test_what_the_workflow_wires_replaces_the_whole_field_of_the_step() -> None:
    step = STEP | {"input": {"header": {"x-a": "1"}, "body": 1}, "output": 1, "retry": {"limit": 7}}
    wired = {"id": "a", "stepRef": {"name": "s"}, "input": {"body": 2}, "output": 2}
    (found,) = defined({"steps": [wired]}, s=step).steps
    assert found.input is not None
    assert (found.input.header, found.input.body, found.output, found.retry.limit) == (None, 2, 2, 7)


def test_every_missing_step_is_named() -> None:
    spec = {"steps": [{"id": id, "stepRef": {"name": name}} for id, name in (("a", "y"), ("b", "x"), ("c", "y"))]}
    found = definition_of("order", spec, {})
    assert found == Unresolved(Reason.STEP_NOT_FOUND, "no Step named x, y in this namespace")


def test_a_name_that_no_label_can_hold_is_not_ready() -> None:
    """The schema refuses it; a run of one that was written past the schema says why it does not start."""
    refused = definition_of("x" * 64, inline(), {})
    assert isinstance(refused, Unresolved)
    assert refused.reason is Reason.WORKFLOW_NOT_READY
    assert "at most 63 characters" in refused.message
    assert isinstance(definition_of("x" * 63, inline(), {}), Definition)


@pytest.mark.parametrize("spec", [None, [], "x", {}, {"steps": []}, {"steps": [None]}, {"steps": [{"id": "a"}]}])
def test_poison_is_not_ready(spec: Any) -> None:
    found = definition_of("order", spec, {"s": None, "t": [], "u": {"endpoint": 1}})
    assert isinstance(found, Unresolved)
    assert found.reason is Reason.WORKFLOW_NOT_READY
