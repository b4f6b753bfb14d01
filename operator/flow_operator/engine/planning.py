"""What to do next in a run: `plan`. The order of its lines is the order of the rules.

Planning is idempotent, and it explains itself in values: the events are what became true between the status that came
in and the one that goes out.
"""

from collections.abc import Iterator, Mapping, Set
from datetime import datetime
from types import MappingProxyType

from flow_operator.api.reasons import Reason
from flow_operator.api.status import ExecutionStatus, Phase
from flow_operator.engine.alignment import Unknown, aligned, with_unknown
from flow_operator.engine.backward import park_failed_undos, retreat
from flow_operator.engine.commands import apply_command
from flow_operator.engine.conditions import DEFINITION_REASONS, frozen
from flow_operator.engine.contract import Attempt, Blocked, CallId, Event, Plan, Postponed, Run
from flow_operator.engine.deadlines import wake_at
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.forward import advance
from flow_operator.engine.planning_context import PlanningContext
from flow_operator.engine.sending import Begun
from flow_operator.engine.settling import settle
from flow_operator.engine.starting import start
from flow_operator.engine.state import aborted, called_off, calls, forward_over, updated
from flow_operator.engine.suspension import apply_spec_suspend
from flow_operator.engine.waiting import noticed_at, with_waiting


def plan(
    run: Run,
    definition: Definition | Unresolved,
    status: ExecutionStatus,
    in_flight: Set[str],
    now: datetime,
    nonce: str,
    service_url: str,
    blocked: Mapping[CallId, Blocked] = MappingProxyType({}),
) -> Plan:
    """What to remember and then to do.

    `in_flight` holds the ids of attempts whose answers this process awaits, `nonce` is random and new for each call,
    `service_url` is what `service` and `method` of an endpoint become (setting FLOW_SERVICE_URL), `blocked` are the
    calls that may not be sent now.
    """
    unknown: Unknown = ()
    if isinstance(definition, Definition) and status.start_time is not None and status.completion_time is None:
        run, status, unknown = aligned(run, definition, status)
    before = status
    begun: tuple[Attempt | Postponed, ...] = ()
    status = apply_command(run, definition, park_failed_undos(status), now)
    if status.completion_time is None:
        status = unstarted = apply_spec_suspend(status, run.spec.suspend, run.generation, now)
        if status.start_time is None and not frozen(status):
            status = start(run, definition, status, now)
        if isinstance(definition, Definition) and status.start_time is not None:
            context = PlanningContext(run, definition, in_flight, now, nonce, service_url, blocked)
            status, begun = _advance_and_retreat(context, status)
            status = _still_pending(unstarted) if _nothing_began(unstarted, status) else status
    elif status is before and status.observed_generation == run.generation:
        return Plan(before, cut=frozenset(in_flight))
    attempts = tuple(each for each in begun if isinstance(each, Attempt))
    postponed = {(each.step, each.direction): each for each in begun if isinstance(each, Postponed)}
    held_up = {call: blocked[call] for call in postponed}
    wake = [*noticed_at(held_up, now), *(each.until for each in postponed.values() if each.until is not None)]
    if status is not before or status.start_time is not None or not wake:
        status = with_waiting(settle(run, definition, status, now), held_up, now)
    if isinstance(definition, Definition) and (clock := wake_at(definition, status, postponed)) is not None:
        wake.append(clock)
    return Plan(
        status=with_unknown(status, unknown),
        attempts=attempts,
        cut=frozenset(in_flight) - {call.attempt_id for _, _, call in calls(status) if call.attempt_id},
        wake_at=min(wake, default=None),
        events=tuple(_events(before, status)),
        postponed=frozenset(postponed),
        urgent=bool(attempts) or _is_urgent(before, status),
    )


def _advance_and_retreat(context: PlanningContext, status: ExecutionStatus) -> Begun:
    """The forward part, then the backward part. A run that is held calls nothing, but it ends if it was called off."""
    begun: tuple[Attempt | Postponed, ...] = ()
    held = frozen(status)
    if not forward_over(status) and not held:
        status, begun = advance(context, status)
    if forward_over(status) and not (held and not called_off(status)):
        status, undos = retreat(context, status)
        begun += undos
    return status, begun


def _nothing_began(before: ExecutionStatus, after: ExecutionStatus) -> bool:
    """Whether a run would start without a single call, since all of them wait for slots: it had better stay Pending."""
    if before.start_time is not None or forward_over(after):
        return False
    return not any(step.start_time is not None for step in after.steps)


def _still_pending(status: ExecutionStatus) -> ExecutionStatus:
    """A run that could start now: it no longer waits for its definition."""
    return updated(status, reason=None, message=None) if status.reason in DEFINITION_REASONS else status


def _is_urgent(before: ExecutionStatus, after: ExecutionStatus) -> bool:
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
