"""Holding a run, and the clocks that stand still meanwhile (semantics: Verbs, Retry and time).

*Frozen* is the whole run, by a command or by `spec.suspend`. *Waiting for a person* is a parked undo or a suspended
step, while other branches go on. Both show as Suspended=True; the reason tells them apart. The run's clock stands
still in both, the clock of a step only while the run is frozen.
"""

from datetime import datetime

from flow_operator.api.reasons import Reason
from flow_operator.api.status import ExecutionStatus, Phase, StepStatus
from flow_operator.engine.conditions import FROZEN_REASONS, find, put
from flow_operator.engine.state import map_steps


def suspend(status: ExecutionStatus, reason: Reason, message: str, generation: int, now: datetime) -> ExecutionStatus:
    """Suspended=True for this reason."""
    return _turn(status, "True", reason, message, generation, now)


def release(status: ExecutionStatus, generation: int, now: datetime) -> ExecutionStatus:
    """Suspended=False, if it was True."""
    old = find(status.conditions, "Suspended")
    if old is None or old.status == "False":
        return status
    return _turn(status, "False", Reason.NOT_SUSPENDED, "", generation, now)


def apply_spec_suspend(status: ExecutionStatus, wanted: bool, generation: int, now: datetime) -> ExecutionStatus:
    """What `spec.suspend` asks for. It lifts only itself, never a suspension by command."""
    reason = suspended_by(status)
    if wanted and reason not in FROZEN_REASONS:
        return suspend(status, Reason.SUSPENDED_BY_SPEC, "spec.suspend is true", generation, now)
    if not wanted and reason == Reason.SUSPENDED_BY_SPEC:
        return release(status, generation, now)
    return status


def suspended_by(status: ExecutionStatus) -> str | None:
    """The reason of Suspended=True; None when the run is not suspended."""
    old = find(status.conditions, "Suspended")
    return old.reason if old is not None and old.status == "True" else None


def _turn(
    status: ExecutionStatus, truth: str, reason: Reason, message: str, generation: int, now: datetime
) -> ExecutionStatus:
    old = find(status.conditions, "Suspended")
    was_true = old is not None and old.status == "True"
    was_frozen = was_true and old is not None and old.reason in FROZEN_REASONS
    same = was_true == (truth == "True") and was_frozen == (reason in FROZEN_REASONS)
    if was_true and not same and old is not None:
        status = _clocks_stood_still(status, old.last_transition_time, was_frozen, now)
    conditions = put(
        status.conditions, "Suspended", "True" if truth == "True" else "False", reason, message, generation, now
    )
    if not same:  # a freeze during a wait for a person begins a new stretch, though the status stays True
        conditions = tuple(
            each.model_copy(update={"last_transition_time": now}) if each.type == "Suspended" else each
            for each in conditions
        )
    return status.model_copy(update={"conditions": conditions})


def _clocks_stood_still(status: ExecutionStatus, since: datetime, frozen: bool, now: datetime) -> ExecutionStatus:
    def shift(step: StepStatus) -> StepStatus:
        if not frozen or step.phase is not Phase.RUNNING or step.start_time is None:
            return step
        stood = max(0.0, (now - max(since, step.start_time)).total_seconds())
        return step.model_copy(update={"suspended_seconds": step.suspended_seconds + stood})

    stood = max(0.0, (now - max(since, status.start_time)).total_seconds()) if status.start_time else 0
    return map_steps(status, shift).model_copy(update={"suspended_seconds": status.suspended_seconds + stood})
