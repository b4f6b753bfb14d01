"""The three kinds: their names, their columns, and the models of their parts."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.meta import NAME_MAX_LENGTH
from flow_operator.api.rules import Rule
from flow_operator.api.status import DefinitionStatus, ExecutionStatus, WorkflowStatus
from flow_operator.api.step import StepSpec
from flow_operator.api.workflow import WorkflowSpec

CATEGORY = "flow"


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`; one that is not wide by default is shown with `-o wide` only."""

    name: str
    path: str
    description: str
    type: str = "string"
    wide: bool = False


@dataclass(frozen=True)
class Kind:
    """All that is known of a kind besides the fields of its models."""

    name: str
    short_name: str
    description: str
    spec: type[BaseModel]
    status: type[BaseModel]
    default_status: dict[str, Any]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def singular(self) -> str:
        """The name in lower case."""
        return self.name.lower()

    @property
    def plural(self) -> str:
        """The name in URLs and in the name of the CRD."""
        return f"{self.singular}s"


AGE = Column("Age", ".metadata.creationTimestamp", "Since when it exists.", type="date")


def _ready(field: str) -> str:
    return f'.status.conditions[?(@.type=="Ready")].{field}'


DEFINITION_COLUMNS = (
    Column("Ready", _ready("status"), "Whether runs can use it."),
    Column("Reason", _ready("reason"), "Why it is ready, or not."),
    AGE,
    Column("Message", _ready("message"), "The same for people.", wide=True),
)

RUN_COLUMNS = (
    Column("Workflow", ".spec.workflowRef.name", "The Workflow that is run."),
    Column("Phase", ".status.phase", "Pending, Running, Suspend, Success, Failure or Aborted."),
    Column("Compensation", ".status.compensation.phase", "Phase of the undo."),
    Column("Steps", ".status.progress", "Steps done and steps in all."),
    Column("Reason", ".status.reason", "Why the run is in this phase."),
    AGE,
    Column("Waiting", ".status.waiting.reason", "What the run waits for.", wide=True),
    Column("Started", ".status.startTime", "Since when it runs.", type="date", wide=True),
    Column("Duration", ".status.duration", "From its start to its end.", wide=True),
    Column("Revision", ".status.revision", "The definition that it is pinned to.", wide=True),
    Column("Message", ".status.message", "The reason in words, with what the service said.", wide=True),
)


def _short_name(kind: str) -> Rule:
    return Rule(
        f"self.metadata.name.size() <= {NAME_MAX_LENGTH}",
        f"the name of a {kind} has at most {NAME_MAX_LENGTH} characters",
        field=".metadata.name",
    )


STEP = Kind(
    name="Step",
    short_name="fstep",
    description="One reusable call to a service, with its policy and its undo. Workflows refer to it by stepRef.",
    spec=StepSpec,
    status=DefinitionStatus,
    default_status={"observedGeneration": -1},
    columns=DEFINITION_COLUMNS,
    rules=(_short_name("Step"),),
)

WORKFLOW = Kind(
    name="Workflow",
    short_name="fwf",
    description="A saga: a directed acyclic graph of calls to services, each with what undoes it.",
    spec=WorkflowSpec,
    status=WorkflowStatus,
    default_status={"observedGeneration": -1},
    columns=DEFINITION_COLUMNS,
    rules=(_short_name("Workflow"),),
)

WORKFLOW_EXECUTION = Kind(
    name="WorkflowExecution",
    short_name="fwx",
    description="One run of a Workflow: its input is in spec, all that happened is in status.",
    spec=ExecutionSpec,
    status=ExecutionStatus,
    default_status={"observedGeneration": -1, "phase": "Pending"},
    columns=RUN_COLUMNS,
    selectable=(".spec.workflowRef.name", ".status.phase"),
)

KINDS = (STEP, WORKFLOW, WORKFLOW_EXECUTION)
