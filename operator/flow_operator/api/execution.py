"""`WorkflowExecution`: one run. Its input is in `spec`, all that happened is in `status`."""

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from flow_operator.api.meta import Model
from flow_operator.api.step import HeaderValue
from flow_operator.api.workflow import ObjectName


class WorkflowRef(Model):
    """A Workflow in the same namespace."""

    name: ObjectName = Field(description="Name of the Workflow.")


class RunInput(Model):
    """The message that a run starts from."""

    header: Annotated[dict[str, HeaderValue], Field(max_length=64)] | None = Field(
        None, description="Headers that go to every call of the run, undo included."
    )
    body: Any = Field(
        None, description="Any JSON, at most 128 KiB. The API server keeps numbers as int64 or float64: see `rawBody`."
    )
    raw_body: Annotated[str, StringConstraints(max_length=262144)] | None = Field(
        None, description="JSON as text, instead of `body`, for numbers that must keep their text (0.10, 1e400)."
    )

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.body is not None and self.raw_body is not None:
            raise ValueError("only one of body and rawBody can be given")
        return self


class ExecutionSpec(Model):
    """What is run, with which input. Only `suspend` can be changed later."""

    workflow_ref: WorkflowRef = Field(description="The Workflow to run. Immutable.")
    input: RunInput | None = Field(None, description="Header and body that the run starts from. Immutable.")
    suspend: bool = Field(
        False, description="True holds the run: nothing new is called. Setting it to false lifts only this."
    )
