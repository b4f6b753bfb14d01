"""A workflow with every reference resolved and every default filled in: what a run is pinned to.

The document of a Definition is canonical, so the same content has the same revision, and runs share it
(semantics: Definitions are pinned).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

from flow_operator.api.duration import Duration
from flow_operator.api.meta import Model
from flow_operator.api.reasons import Reason
from flow_operator.api.step import (
    Backoff,
    Compensate,
    CompensateBackoff,
    CompensateRetry,
    CompensateTimeout,
    Endpoint,
    Message,
    Outcome,
    Retry,
    StepSpec,
    Template,
    Timeout,
)
from flow_operator.api.workflow import Compensation, WorkflowSpec, WorkflowStep, WorkflowTimeout
from flow_operator.engine.definitions.graph import Dag, Node, dag
from flow_operator.engine.definitions.succession import Succession
from flow_operator.engine.expressions.json_text import write
from flow_operator.engine.expressions.pinned import compiled
from flow_operator.engine.expressions.templates import Template as Compiled


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why there is no definition: the run waits for a person (or for GitOps) and calls nothing."""

    reason: Reason
    message: str


class RetryDefinition(Model):
    """A retry policy with nothing left out."""

    limit: int
    backoff: Backoff


class CallDefinition(Model):
    """A call with nothing left out: what doing and undoing a step have in common."""

    endpoint: Endpoint
    input: Message | None = None
    connect_timeout: Duration
    request_timeout: Duration
    retry: RetryDefinition

    @cached_property
    def url_template(self) -> Compiled:
        """The URL of an endpoint that has one. Raises ExpressionError."""
        return compiled(self.endpoint.url)

    @cached_property
    def body_template(self) -> Compiled | None:
        """The body that is sent; None for the default message. Raises ExpressionError."""
        return None if self.input is None or self.input.body is None else compiled(self.input.body)

    @cached_property
    def header_templates(self) -> Mapping[str, Compiled]:
        """The headers that are sent, names in lower case; the endpoint's win. Raises ExpressionError."""
        given = {name.lower(): value for name, value in ((self.input and self.input.header) or {}).items()}
        given |= {each.name.lower(): each.value for each in self.endpoint.header}
        return {name: compiled(value) for name, value in given.items()}


class StepDefinition(CallDefinition):
    """A step with nothing left out."""

    id: str
    requires: tuple[str, ...] = ()
    accept_skipped: tuple[str, ...] = ()
    when: str | None = None
    fallback: str | None = None
    output: Template = None
    total_timeout: Duration | None = None
    outcome: Outcome
    compensate: CallDefinition | None = None

    @cached_property
    def not_to_be_skipped(self) -> frozenset[str]:
        """The steps that it requires and without which it is skipped."""
        return frozenset(self.requires) - frozenset(self.accept_skipped)

    @cached_property
    def output_template(self) -> Compiled | None:
        """What makes the output of an answer; None for its body. Raises ExpressionError."""
        return None if self.output is None else compiled(self.output)


class Definition(Model):
    """A workflow with nothing left out."""

    workflow: str
    steps: tuple[StepDefinition, ...]
    output: Template = None
    run_timeout: Duration | None = None
    compensation_mode: Literal["Auto", "None"] = "Auto"

    @cached_property
    def revision(self) -> str:
        """Name of the ControllerRevision that holds this very content."""
        return f"{self.workflow}-{self._content[0][:12]}"

    @property
    def stored_bytes(self) -> int:
        """Bytes of its document, as the ControllerRevision holds it."""
        return self._content[1]

    @cached_property
    def _content(self) -> tuple[str, int]:
        content = write(self.document()).encode()
        return sha256(content).hexdigest(), len(content)

    @cached_property
    def output_template(self) -> Compiled | None:
        """What makes the result of a run; None for the default. Raises ExpressionError."""
        return None if self.output is None else compiled(self.output)

    @cached_property
    def by_id(self) -> Mapping[str, StepDefinition]:
        """Id → step."""
        return {step.id: step for step in self.steps}

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of the steps, in their order."""
        return tuple(step.id for step in self.steps)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Id → place among the steps."""
        return {id: place for place, id in enumerate(self.ids)}

    @cached_property
    def dag(self) -> Dag:
        """The order of the steps."""
        return dag(Node(step.id, step.requires, step.fallback) for step in self.steps)

    @cached_property
    def succession(self) -> Succession:
        """Which step comes after which."""
        return Succession(self.dag)


def resolve(workflow: str, spec: WorkflowSpec, steps: Mapping[str, StepSpec]) -> Definition | Unresolved:
    """The definition that a run started now is pinned to, or which Step is missing."""
    missing = sorted({step.step_ref.name for step in spec.steps if step.step_ref} - steps.keys())
    if missing:
        return Unresolved(Reason.STEP_NOT_FOUND, f"no Step named {', '.join(missing)} in this namespace")
    return Definition(
        workflow=workflow,
        steps=tuple(_step(step, steps) for step in spec.steps),
        output=spec.output,
        run_timeout=(spec.timeout or WorkflowTimeout()).run,
        compensation_mode=(spec.compensation or Compensation()).mode,
    )


def _step(step: WorkflowStep, steps: Mapping[str, StepSpec]) -> StepDefinition:
    call = steps[step.step_ref.name] if step.step_ref else StepSpec.model_validate(step.model_dump(exclude_unset=True))
    timeout = call.timeout or Timeout()
    return StepDefinition(
        id=step.id,
        requires=step.requires,
        accept_skipped=step.accept_skipped,
        when=step.when,
        fallback=step.fallback,
        endpoint=call.endpoint,
        input=step.input or call.input,
        output=call.output if step.output is None else step.output,
        connect_timeout=timeout.connect,
        request_timeout=timeout.request,
        total_timeout=timeout.total,
        retry=_retry(call.retry or Retry()),
        outcome=call.outcome or Outcome(),
        compensate=_undo(call.compensate) if call.compensate else None,
    )


def _undo(compensate: Compensate) -> CallDefinition:
    timeout = compensate.timeout or CompensateTimeout()
    retry = compensate.retry or CompensateRetry()
    backoff = retry.backoff or CompensateBackoff()
    return CallDefinition(
        endpoint=compensate.endpoint,
        input=compensate.input,
        connect_timeout=timeout.connect,
        request_timeout=timeout.request,
        retry=RetryDefinition(limit=retry.limit, backoff=Backoff.model_validate(backoff.model_dump())),
    )


def _retry(retry: Retry) -> RetryDefinition:
    return RetryDefinition(limit=retry.limit, backoff=retry.backoff or Backoff())
