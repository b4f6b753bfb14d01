"""`Workflow`: a directed acyclic graph of steps, inline or by reference."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from flow_operator.api.duration import Duration
from flow_operator.api.meta import NAME_MAX_LENGTH, Model, simple
from flow_operator.api.rules import Rule, RuledModel
from flow_operator.api.step import (
    Compensate,
    Endpoint,
    Expression,
    Message,
    Outcome,
    Retry,
    StepSpec,
    Template,
    Timeout,
)

STEP_ID_PATTERN = r"^[a-z]([a-z0-9_-]{0,61}[a-z0-9])?$"
OBJECT_NAME_PATTERN = r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"
RESERVED_STEP_ID = "self"
MAX_STEPS = 200

StepId = Annotated[
    str,
    StringConstraints(pattern=STEP_ID_PATTERN, max_length=63),
    simple("step id", f"What tells the steps of a workflow apart. `{RESERVED_STEP_ID}` is reserved."),
]
ObjectName = Annotated[
    str,
    StringConstraints(pattern=OBJECT_NAME_PATTERN, max_length=NAME_MAX_LENGTH),
    simple("name", "The name of an object in the same namespace."),
]

INLINE_FIELDS = tuple(StepSpec.model_fields)
POLICY_FIELDS = ("timeout", "retry", "outcome", "compensate")
"""Fields of a Step that a workflow step with `stepRef` cannot override."""


def _twice(ids: Iterable[str]) -> str:
    return ", ".join(id for id, count in Counter(ids).items() if count > 1)


def _distinct(ids: tuple[str, ...]) -> tuple[str, ...]:
    if twice := _twice(ids):
        raise ValueError(f"given twice: {twice}")
    return ids


StepIds = Annotated[
    tuple[StepId, ...],
    Field(max_length=MAX_STEPS, json_schema_extra={"x-kubernetes-list-type": "set"}),
    AfterValidator(_distinct),
]
"""Ids of steps, each once."""


class StepRef(Model):
    """A Step in the same namespace."""

    name: ObjectName = Field(description="Name of the Step.")


class WorkflowStep(RuledModel):
    """A step of the workflow: either inline (the fields of a Step), or `stepRef` with wiring."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"self.id != '{RESERVED_STEP_ID}'",
            f"the id {RESERVED_STEP_ID} is reserved: in an undo, steps.{RESERVED_STEP_ID} is the step that is undone",
            lambda step: step.id != RESERVED_STEP_ID,
            field=".id",
        ),
        Rule(
            "has(self.stepRef) != has(self.endpoint)",
            "exactly one of stepRef and endpoint must be given",
            lambda step: (step.step_ref is None) != (step.endpoint is None),
        ),
        Rule(
            "!has(self.stepRef) || !(" + " || ".join(f"has(self.{name})" for name in POLICY_FIELDS) + ")",
            f"{', '.join(POLICY_FIELDS)} come from the Step that stepRef names and cannot be overridden",
            lambda step: step.step_ref is None or all(getattr(step, name) is None for name in POLICY_FIELDS),
        ),
    )

    id: StepId = Field(description="Id of the step, unique in the workflow. `self` is reserved.")
    step_ref: StepRef | None = Field(None, description="The Step to call, instead of an inline `endpoint`.")
    requires: StepIds = Field((), description="Ids of the steps that must be done before this one starts.")
    accept_skipped: StepIds = Field(
        (), description="Ids out of `requires` whose being skipped does not skip this step."
    )
    when: Expression | None = Field(None, description="CEL, bool: false skips the step, and the steps that require it.")
    fallback: StepId | None = Field(
        None, description="Id of the step that runs instead when this one ends in Failure after its retries."
    )
    endpoint: Endpoint | None = Field(None, description="Where the call goes (inline step).")
    input: Message | None = Field(
        None, description="What the service is sent; replaces the whole `input` of a referenced Step."
    )
    output: Template = Field(
        None, description="What the step passes on; a template; replaces the `output` of a referenced Step."
    )
    timeout: Timeout | None = Field(None, description="How long the step may take (inline step).")
    retry: Retry | None = Field(None, description="How often, and how soon, the call is tried again (inline step).")
    outcome: Outcome | None = Field(None, description="What an answer means (inline step).")
    compensate: Compensate | None = Field(None, description="How the step is undone (inline step).")


class WorkflowTimeout(Model):
    """How long a run may take."""

    run: Duration | None = Field(
        None,
        description="Time for the forward part of a run, from its start. Passing: calls in flight are cut, the run "
        "fails (RunTimeout) and is undone. Stands still while the run is suspended.",
    )


class Compensation(Model):
    """Whether finished steps are undone when a run fails."""

    mode: Literal["Auto", "None"] = Field(
        "Auto", description="Auto: undo when the run fails or is aborted. None: never, unless abort asks for it."
    )


class WorkflowSpec(Model):
    """A saga: the steps, how they depend on each other, and what happens when one fails."""

    steps: Annotated[tuple[WorkflowStep, ...], Field(min_length=1, max_length=MAX_STEPS)] = Field(
        description="The steps, in any order; `requires` says which waits for which.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"]},
    )
    output: Template = Field(
        None,
        description="Result of the run, any JSON; a template. Default: the output of the only leaf, "
        "or an object of the leaves' outputs by id.",
    )
    timeout: WorkflowTimeout | None = Field(None, description="How long a run may take.")
    compensation: Compensation | None = Field(None, description="Whether finished steps are undone when a run fails.")

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        """The API server refuses the same by the list map."""
        if twice := _twice(step.id for step in self.steps):
            raise PydanticCustomError("duplicate_id", "more than one step has the id {twice}", {"twice": twice})
        return self
