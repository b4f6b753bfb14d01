"""`WorkflowExecution`: one run. Its input is in `spec`, all that happened is in `status`."""

from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, StrictBool, StringConstraints

from flow_operator.api.meta import Model
from flow_operator.api.rules import Rule, RuledModel
from flow_operator.api.step import HeaderMap
from flow_operator.api.workflow import ObjectName


class WorkflowRef(Model):
    """A Workflow in the same namespace."""

    name: ObjectName = Field(description="Name of the Workflow.")


class RunInput(RuledModel):
    """The message that a run starts from."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})
    rules: ClassVar[tuple[Rule, ...]] = (
        # CEL knows no field without a type, except through dyn.
        Rule(
            "!has(self.rawBody) || !has(dyn(self).body)",
            "only one of body and rawBody can be given",
            lambda message: message.body is None or message.raw_body is None,
            field=".rawBody",
        ),
    )

    header: HeaderMap | None = Field(None, description="Headers that go to every call of the run, undo included.")
    body: Any = Field(
        None, description="Any JSON, at most 128 KiB. The API server keeps numbers as int64 or float64: see `rawBody`."
    )
    raw_body: Annotated[str, StringConstraints(max_length=262144)] | None = Field(
        None, description="JSON as text, instead of `body`, for numbers that must keep their text (0.10, 1e400)."
    )


class ExecutionSpec(RuledModel):
    """What is run, with which input. Only `suspend` can be changed later."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.workflowRef == oldSelf.workflowRef",
            "workflowRef is immutable: create another run",
            field=".workflowRef",
        ),
        Rule(
            "has(self.input) == has(oldSelf.input) && (!has(self.input) || self.input == oldSelf.input)",
            "input is immutable: create another run",
            field=".input",
        ),
    )

    workflow_ref: WorkflowRef = Field(description="The Workflow to run. Immutable.")
    input: RunInput | None = Field(None, description="Header and body that the run starts from. Immutable.")
    suspend: StrictBool = Field(
        False, description="True holds the run: nothing new is called. Setting it to false lifts only this."
    )
