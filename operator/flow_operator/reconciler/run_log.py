"""What the log says of runs: their end, and everything that becomes an Event. Nothing else of a run is worth a line."""

import logging
from collections.abc import Iterable

from flow_operator.api.status import ExecutionStatus
from flow_operator.engine.contract import Event, Run

log = logging.getLogger(__name__)


def write(run: Run, before: ExecutionStatus, after: ExecutionStatus, events: Iterable[Event]) -> None:
    """The status of the run was `before` and is `after` now; `events` are posted about it."""
    if not log.isEnabledFor(logging.INFO):
        return
    fields = {"run": f"{run.namespace}/{run.name}", "workflow": run.spec.workflow_ref.name}
    if after.trace is not None:
        fields["trace"] = after.trace.traceparent.split("-")[1]
    for event in events:
        step, _, rest = event.message.partition(": ")
        about = {"step": step} if rest and any(each.id == step for each in after.steps) else {}
        extra = {"fields": {**fields, **about, "reason": str(event.reason)}}
        log.info("run %s: %s: %s", fields["run"], event.reason, event.message, extra=extra)
    if after.completion_time is not None and before.completion_time is None:
        undone = after.compensation.phase.value if after.compensation and after.compensation.phase else "none"
        extra = {"fields": {**fields, "phase": after.phase.value, "compensation": undone, "reason": after.reason or ""}}
        log.info("run %s ended: %s, compensation %s", fields["run"], after.phase.value, undone, extra=extra)
