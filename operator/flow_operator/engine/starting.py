"""From Pending to Running: the input is checked, the definition pinned, every step listed."""

import sys
from datetime import datetime

from flow_operator.api.indexed import Indexed
from flow_operator.api.reasons import Reason
from flow_operator.api.status import (
    CompensationPhase,
    CompensationStatus,
    ExecutionStatus,
    Phase,
    StepStatus,
)
from flow_operator.engine.conditions import decide
from flow_operator.engine.contract import Run
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.expressions.json_text import NotJSON, TooBig, parse, weigh, write
from flow_operator.engine.identity import trace
from flow_operator.engine.messages.headers import problem
from flow_operator.engine.messages.limits import INPUT_BYTES


def start(run: Run, definition: Definition | Unresolved, status: ExecutionStatus, now: datetime) -> ExecutionStatus:
    """The run as it starts; or why it waits; or why it cannot."""
    if isinstance(definition, Unresolved):
        return status.model_copy(
            update={"phase": Phase.PENDING, "reason": definition.reason, "message": definition.message}
        )
    wrong = _wrong_input(run)
    if wrong is not None:
        return end_unstarted(run, status, Phase.FAILURE, wrong[0], wrong[1], now)
    return status.model_copy(
        update={
            "phase": Phase.RUNNING,
            "reason": Reason.RUNNING,
            "message": None,
            "start_time": now,
            "revision": definition.revision,
            "trace": trace(run.uid),
            "steps": Indexed(StepStatus(id=step.id, phase=Phase.PENDING) for step in definition.steps),
        }
    )


def end_unstarted(
    run: Run, status: ExecutionStatus, phase: Phase, reason: Reason, message: str, now: datetime
) -> ExecutionStatus:
    """The run ends before anything was called."""
    decided = decide(status, phase, reason, message, run.generation, now)
    compensation = CompensationStatus(phase=CompensationPhase.NOT_NEEDED)
    return decided.model_copy(update={"compensation": compensation, "completion_time": now})


def _wrong_input(run: Run) -> tuple[Reason, str] | None:
    given = run.spec.input
    if given is None:
        return None
    headers = [wrong for name, value in (given.header or {}).items() if (wrong := problem(name, value))]
    if headers:
        return Reason.INVALID_INPUT, "spec.input.header: " + "; ".join(headers)
    try:
        if given.raw_body is not None:
            parse(given.raw_body)
        else:
            weigh(given.body, most=sys.maxsize)
        size = len((write(given.body) if given.raw_body is None else given.raw_body).encode())
    except (NotJSON, TooBig) as error:
        field = "body" if given.raw_body is None else "rawBody"
        return Reason.INVALID_INPUT, f"spec.input.{field} is not JSON that a message can carry: {error}"
    if size > INPUT_BYTES:
        return Reason.PAYLOAD_TOO_LARGE, f"spec.input has {size} bytes, the limit is {INPUT_BYTES}"
    return None
