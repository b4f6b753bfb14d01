"""What to do next in a run: `plan`. The order of its lines is the order of the rules.

Planning is idempotent, and it explains itself in values: the events are what became true between the status that came
in and the one that goes out.
"""

from collections.abc import Iterator, Set
from datetime import datetime

from flow_operator.api.reasons import Reason
from flow_operator.api.status import ExecutionStatus, Phase
from flow_operator.engine.backward import park_failed_undos, retreat
from flow_operator.engine.commands import obey
from flow_operator.engine.conditions import frozen
from flow_operator.engine.contract import Attempt, Event, Plan, Run, Unresolved
from flow_operator.engine.deadlines import wake_at
from flow_operator.engine.definition import Definition
from flow_operator.engine.forward import advance
from flow_operator.engine.moment import Moment
from flow_operator.engine.settling import settle
from flow_operator.engine.starting import start
from flow_operator.engine.state import aborted, called_off, calls, forward_over
from flow_operator.engine.suspension import obey_spec


def plan(
    run: Run,
    definition: Definition | Unresolved,
    status: ExecutionStatus,
    in_flight: Set[str],
    now: datetime,
    nonce: str,
    service_url: str,
) -> Plan:
    """What to remember and then to do.

    `in_flight` holds the ids of attempts whose answers this process awaits, `nonce` is random and new for each call,
    `service_url` is what `service` and `method` of an endpoint become (setting FLOW_SERVICE_URL).
    """
    before = status
    attempts: tuple[Attempt, ...] = ()
    status = obey(run, definition, park_failed_undos(status), now)
    if status.completion_time is None:
        status = obey_spec(status, run.spec.suspend, run.generation, now)
        if status.start_time is None and not frozen(status):
            status = start(run, definition, status, now)
        if isinstance(definition, Definition) and status.start_time is not None:
            status, attempts = _go_on(Moment(run, definition, in_flight, now, nonce, service_url), status)
    elif status is before and status.observed_generation == run.generation:
        return Plan(before, cut=frozenset(in_flight))
    status = settle(run, definition, status, now)
    return Plan(
        status=status,
        attempts=attempts,
        cut=frozenset(in_flight) - {call.attempt_id for _, _, call in calls(status) if call.attempt_id},
        wake_at=wake_at(definition, status) if isinstance(definition, Definition) else None,
        events=tuple(_events(before, status)),
        urgent=bool(attempts) or _turned(before, status),
    )


def _go_on(moment: Moment, status: ExecutionStatus) -> tuple[ExecutionStatus, tuple[Attempt, ...]]:
    """The forward part, then the backward part. A run that is held calls nothing, but it ends if it was called off."""
    attempts: tuple[Attempt, ...] = ()
    held = frozen(status)
    if not forward_over(status) and not held:
        status, attempts = advance(moment, status)
    if forward_over(status) and not (held and not called_off(status)):
        status, undos = retreat(moment, status)
        attempts += undos
    return status, attempts


def _turned(before: ExecutionStatus, after: ExecutionStatus) -> bool:
    """Whether more happened than a result being stored that lets nothing start.

    Why a run has not started is not urgent: its definition, on a watch of its own, may be just about to arrive.
    """

    def course(status: ExecutionStatus) -> tuple[object, ...]:
        reason = None if status.phase is Phase.PENDING else status.reason
        compensation = status.compensation and status.compensation.phase
        return status.phase, reason, compensation, status.completion_time, status.last_command

    return course(before) != course(after)


def _events(before: ExecutionStatus, after: ExecutionStatus) -> Iterator[Event]:
    command = after.last_command
    if command is not None and command != before.last_command:
        reason = Reason.COMMAND_ACCEPTED if command.result == "Accepted" else Reason.COMMAND_REJECTED
        yield Event("Normal", reason, f"{command.verb}: {command.message}")
    if after.phase is Phase.SUCCESS and before.phase is not Phase.SUCCESS and after.reason == Reason.OUTPUT_ERROR:
        yield Event("Warning", Reason.OUTPUT_ERROR, after.message or "")
    if _failed(after) and not _failed(before):
        decided = next(each for each in after.conditions if each.type == "Succeeded")
        yield Event("Warning", Reason.RUN_FAILED, f"{decided.reason}: {decided.message}")
    known = {step.id: step for step in before.steps}
    for step in after.steps:
        old = known.get(step.id)
        if step.phase is Phase.SUSPEND and (old is None or old.phase is not Phase.SUSPEND):
            yield Event("Warning", Reason.STEP_SUSPENDED, f"{step.id}: {step.reason}: {step.message}")
        undo, old_undo = step.compensation, old and old.compensation
        if undo and undo.phase is Phase.SUSPEND and not (old_undo and old_undo.phase is Phase.SUSPEND):
            yield Event("Warning", Reason.COMPENSATION_PARKED, f"{step.id}: {undo.reason}: {undo.message}")


def _failed(status: ExecutionStatus) -> bool:
    failed = any(each.type == "Succeeded" and each.status == "False" for each in status.conditions)
    return failed and not aborted(status) and status.phase is not Phase.ABORTED
