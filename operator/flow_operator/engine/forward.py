"""The forward part of a run: which step starts, is skipped, or takes over; and when the part is over.

Steps are looked at parents first, so one pass is enough: a step that ends at once (skipped, or unsendable) is seen by
those after it.
"""

from datetime import datetime

from flow_operator.api.reasons import Reason
from flow_operator.api.status import (
    CompensationPhase,
    CompensationStatus,
    Direction,
    ExecutionStatus,
    Payload,
    Phase,
    StepStatus,
)
from flow_operator.engine.calls import cut, finish
from flow_operator.engine.compensation import undoable, undone
from flow_operator.engine.conditions import decide
from flow_operator.engine.contract import Attempt, Postponed, Run
from flow_operator.engine.deadlines import run_deadline, step_deadline
from flow_operator.engine.expressions.evaluation import ExpressionError
from flow_operator.engine.expressions.expression_errors import shortened
from flow_operator.engine.expressions.json_text import NotJSON
from flow_operator.engine.expressions.pinned import holds
from flow_operator.engine.messages.limits import INLINE_BYTES, STATUS_BYTES
from flow_operator.engine.messages.payload import size as payload_size
from flow_operator.engine.messages.payload import store
from flow_operator.engine.planning_context import PlanningContext
from flow_operator.engine.sending import Begun, resend, send
from flow_operator.engine.size import size_of
from flow_operator.engine.snapshot import run_output
from flow_operator.engine.state import DONE, failures, forward_over, map_steps, step_of, steps_of, with_call


def advance(context: PlanningContext, status: ExecutionStatus) -> Begun:
    """One look at what has come to an end, then at every step, then at the run."""
    status = _conclude(context, status)
    if not forward_over(status) and _run_deadline_passed(context, status):
        status = _time_out_run(context, status)
    if not forward_over(status):
        timed = _time_out_steps(context, status)
        status = status if timed is status else _conclude(context, timed)
    if forward_over(status):
        return status, ()
    after, attempts = _consider_steps(context, status)
    if failures(context.definition.dag, after):
        after, attempts = _without(attempts, after, status), ()
    return _conclude(context, after), attempts


def _consider_steps(context: PlanningContext, status: ExecutionStatus) -> Begun:
    status, attempts = resend(context, status, Direction.DO)
    status, undos = resend(context, status, Direction.UNDO)
    attempts += undos
    pending = {step.id for step in status.steps if step.phase is Phase.PENDING}
    done = {step.id for step in status.steps if satisfies_dependents(status, step)}
    skipped = {step.id for step in status.steps if step.phase is Phase.SKIPPED}
    for id in context.definition.dag.order:
        if id in pending:
            status, begun = _consider(context, status, id, done, skipped)
            attempts += begun
            if step_of(status, id).phase is Phase.SKIPPED:
                done.add(id)
                skipped.add(id)
    return status, attempts


def _without(
    attempts: tuple[Attempt | Postponed, ...], after: ExecutionStatus, before: ExecutionStatus
) -> ExecutionStatus:
    """What was to be sent is not sent, for the same look at the run has found that it failed."""
    begun = {attempt.step for attempt in attempts}

    def unsent(step: StepStatus) -> StepStatus:
        if step.id in begun:
            return step_of(before, step.id)
        return step.model_copy(update={"fallback": None}) if step.fallback in begun else step

    return map_steps(after, unsent)


def _consider(context: PlanningContext, status: ExecutionStatus, id: str, done: set[str], skipped: set[str]) -> Begun:
    """A step that has not started: skip it, start it, or leave it waiting."""
    owner = context.definition.dag.owner.get(id)
    if owner is not None:
        return _consider_fallback(context, status, id, step_of(status, owner))
    step = context.definition.by_id[id]
    if not step.not_to_be_skipped.isdisjoint(skipped):
        return _skipped(context, status, id, Reason.DEPENDENCY_SKIPPED, "a step that it requires was skipped"), ()
    if done.issuperset(step.requires):
        return _start(context, status, id)
    return status, ()


def _consider_fallback(context: PlanningContext, status: ExecutionStatus, id: str, owner: StepStatus) -> Begun:
    """A fallback runs after its owner has failed; what the owner may have done is undone first."""
    if owner.phase in DONE:
        return _skipped(context, status, id, Reason.FALLBACK_NOT_NEEDED, f"{owner.id} did not fail"), ()
    if owner.phase is not Phase.FAILURE or owner.reason == Reason.STATUS_TOO_LARGE:
        return status, ()
    if undoable(context.definition, owner) and not undone(owner):
        return send(context, status, owner.id, Direction.UNDO) if owner.compensation is None else (status, ())
    started, attempts = _start(context, status, id)
    if step_of(started, id).phase in (Phase.SKIPPED, Phase.PENDING):
        return started, attempts
    return with_call(started, owner.id, Direction.DO, owner.model_copy(update={"fallback": id})), attempts


def _start(context: PlanningContext, status: ExecutionStatus, id: str) -> Begun:
    condition = context.definition.by_id[id].when
    if condition is not None:
        try:
            if not holds(condition, context.snapshot(status).scope(id, Direction.DO)):
                return _skipped(
                    context, status, id, Reason.CONDITION_FALSE, f"when is false: {shortened(condition)}"
                ), ()
        except ExpressionError as error:
            failed = finish(step_of(status, id), Phase.FAILURE, Reason.EXPRESSION_ERROR, f"when: {error}", context.now)
            return with_call(status, id, Direction.DO, failed), ()
    return send(context, status, id, Direction.DO)


def _skipped(
    context: PlanningContext, status: ExecutionStatus, id: str, reason: Reason, message: str
) -> ExecutionStatus:
    return with_call(status, id, Direction.DO, finish(step_of(status, id), Phase.SKIPPED, reason, message, context.now))


def satisfies_dependents(status: ExecutionStatus, step: StepStatus) -> bool:
    """Whether a step is done as far as those that require it are concerned."""
    steps, passed = steps_of(status), {step.id}
    while step.phase is Phase.FAILURE and step.fallback is not None and step.fallback not in passed:
        passed.add(step.fallback)
        step = steps.find(step.fallback) or step
    return step.phase in DONE


def _conclude(context: PlanningContext, status: ExecutionStatus) -> ExecutionStatus:
    failed = failures(context.definition.dag, status)
    if failed:
        message = "; ".join(f"{step.id}: {step.message or step.reason}" for step in failed)
        return _fail(context, status, failed[0].reason or Reason.STEP_FAILED, message)
    if all(satisfies_dependents(status, step) for step in status.steps):
        return _succeed(context, status)
    return status


def _succeed(context: PlanningContext, status: ExecutionStatus) -> ExecutionStatus:
    reason, message, output = Reason.SUCCEEDED, "", None
    try:
        output = Payload.model_validate(store(run_output(context.snapshot(status))))
    except (ExpressionError, NotJSON) as error:
        reason, message = Reason.OUTPUT_ERROR, f"the output could not be computed: {error}"
    if output and not _fits(context, status, output):
        reason, message, output = Reason.OUTPUT_ERROR, "the output is too large to be kept", None
    decided = decide(status, Phase.SUCCESS, reason, message, context.run.generation, context.now)
    compensation = CompensationStatus(phase=CompensationPhase.NOT_NEEDED)
    return decided.model_copy(update={"output": output, "compensation": compensation, "completion_time": context.now})


def _fits(context: PlanningContext, status: ExecutionStatus, output: Payload) -> bool:
    small = payload_size(output.document()) <= INLINE_BYTES
    return small or size_of(context.run, status.model_copy(update={"output": output})) <= STATUS_BYTES


def end_forward(
    run: Run, status: ExecutionStatus, phase: Phase, reason: Reason | str, message: str, now: datetime, *, undo: bool
) -> ExecutionStatus:
    """The forward part is over without success. Calls in flight are waited for; nothing else goes on."""
    why = "the run was aborted" if phase is Phase.ABORTED else "the run has failed"
    status = map_steps(status, lambda step: _not_going_on(step, why, now))
    compensation = CompensationStatus(
        phase=CompensationPhase.PENDING if undo else CompensationPhase.NOT_NEEDED,
        trigger="Aborted" if phase is Phase.ABORTED else "Failure",
    )
    status = status.model_copy(update={"compensation": compensation})
    return decide(status, phase, reason, message, run.generation, now)


def _not_going_on(step: StepStatus, why: str, now: datetime) -> StepStatus:
    backing_off = step.phase is Phase.RUNNING and step.next_attempt_time is not None
    if backing_off or step.phase is Phase.SUSPEND:
        return finish(step, Phase.ABORTED, Reason.ABORTED, f"{why}; last: {step.message}", now)
    return step


def _fail(context: PlanningContext, status: ExecutionStatus, reason: Reason | str, message: str) -> ExecutionStatus:
    undo = context.definition.compensation_mode == "Auto"
    return end_forward(context.run, status, Phase.FAILURE, reason, message, context.now, undo=undo)


def _time_out_steps(context: PlanningContext, status: ExecutionStatus) -> ExecutionStatus:
    def passed(step: StepStatus) -> StepStatus:
        ends = step_deadline(context.definition, step)
        if ends is None or ends > context.now:
            return step
        total = context.definition.by_id[step.id].total_timeout
        return cut(step, Phase.FAILURE, Reason.STEP_TIMEOUT, f"timeout.total of {total} has passed", context.now)

    return map_steps(status, passed)


def _run_deadline_passed(context: PlanningContext, status: ExecutionStatus) -> bool:
    ends = run_deadline(context.definition, status)
    return ends is not None and ends <= context.now


def _time_out_run(context: PlanningContext, status: ExecutionStatus) -> ExecutionStatus:
    message = f"timeout.run of {context.definition.run_timeout} has passed"

    def stop(step: StepStatus) -> StepStatus:
        if step.phase is not Phase.RUNNING:
            return step
        return cut(step, Phase.ABORTED, Reason.RUN_TIMEOUT, message, context.now)

    return _fail(context, map_steps(status, stop), Reason.RUN_TIMEOUT, message)
