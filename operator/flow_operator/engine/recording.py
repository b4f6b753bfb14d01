"""What an answer made of a run: `record`. It judges one attempt and closes it; what follows is for `plan` to say."""

from datetime import datetime
from typing import Any

from flow_operator.api.reasons import Reason
from flow_operator.api.status import (
    CallStatus,
    Direction,
    Effect,
    ExecutionStatus,
    Payload,
    Phase,
    ResponseRecord,
    StepStatus,
    Verdict,
)
from flow_operator.engine.calls import close, close_parked, retry
from flow_operator.engine.contract import Outcome, Run
from flow_operator.engine.definition import Definition, StepDefinition
from flow_operator.engine.expressions import ExpressionError
from flow_operator.engine.headers import KEPT_OF_RESPONSE
from flow_operator.engine.identity import chance
from flow_operator.engine.json_text import NotJSON
from flow_operator.engine.limits import HEADER_BYTES, INLINE_BYTES, STATUS_BYTES
from flow_operator.engine.messages import Snapshot, call_definition, response_view, scope
from flow_operator.engine.observation import Answered, Observation
from flow_operator.engine.payload import store, store_answer
from flow_operator.engine.retries import budget_left, pause, retry_after
from flow_operator.engine.size import size_of
from flow_operator.engine.state import Call, call_of, forward_over, with_call
from flow_operator.engine.templates import compile_template, render
from flow_operator.engine.verdicts import Judgement, judge_do, judge_undo


def record(
    run: Run, definition: Definition, status: ExecutionStatus, outcome: Outcome, now: datetime
) -> ExecutionStatus:
    """The status with this outcome in it; the very same object when the attempt is already closed."""
    call = call_of(status, outcome.step, outcome.direction)
    if call is None or call.attempt_id != outcome.attempt:
        return status
    snapshot = Snapshot(run, definition, status)
    if outcome.direction is Direction.UNDO:
        return with_call(status, outcome.step, Direction.UNDO, _undo_after(snapshot, call, outcome, now))
    assert isinstance(call, StepStatus)
    changed = with_call(status, outcome.step, Direction.DO, _step_after(snapshot, call, outcome, now))
    if size_of(run, changed) <= STATUS_BYTES:
        return changed
    return with_call(status, outcome.step, Direction.DO, _too_large(status, call, outcome, now))


def _step_after(snapshot: Snapshot, step: StepStatus, outcome: Outcome, now: datetime) -> StepStatus:
    definition = snapshot.definition.by_id[step.id]
    response = _response(outcome.observation)
    seen = _seen(snapshot, step, response)
    judgement = judge_do(outcome.observation, definition.outcome, seen, conflicted=step.effect is Effect.UNKNOWN)
    output = None
    if judgement.verdict is Verdict.SUCCESS:
        output, judgement = _output(definition, seen, judgement)
    response = _kept(response, judgement)
    if judgement.verdict is Verdict.RETRY and not forward_over(snapshot.status):
        if budget_left(step, definition.retry.limit):
            return _backing_off(snapshot, step, outcome, judgement, response, now)
        judgement = _exhausted(step, judgement)
    ended = close(step, _ended_in(judgement, snapshot.status), judgement, response, now)
    return ended.model_copy(update={"output": output})


def _undo_after(snapshot: Snapshot, undo: CallStatus, outcome: Outcome, now: datetime) -> CallStatus:
    judgement = judge_undo(outcome.observation, conflicted=undo.effect is Effect.UNKNOWN)
    response = _kept(_response(outcome.observation), judgement)
    definition = call_definition(snapshot.definition.by_id[outcome.step], Direction.UNDO)
    if judgement.verdict is Verdict.SUCCESS:
        return close(undo, Phase.SUCCESS, judgement, response, now)
    if judgement.verdict is Verdict.RETRY:
        if budget_left(undo, definition.retry.limit):
            return _backing_off(snapshot, undo, outcome, judgement, response, now)
        judgement = _exhausted(undo, judgement)
    return close_parked(undo, judgement, response, now, judgement.reason)


def _ended_in(judgement: Judgement, status: ExecutionStatus) -> Phase:
    """A step that was waited for after the run had failed or was aborted ends in Success, or else Aborted."""
    if judgement.verdict is Verdict.SUCCESS:
        return Phase.SUCCESS
    return Phase.ABORTED if forward_over(status) else Phase.FAILURE


def _backing_off(
    snapshot: Snapshot,
    call: Call,
    outcome: Outcome,
    judgement: Judgement,
    response: ResponseRecord | None,
    now: datetime,
) -> Call:
    policy = call_definition(snapshot.definition.by_id[outcome.step], outcome.direction).retry
    asked = retry_after(((response and response.header) or {}).get("retry-after"), now)
    key = call.idempotency_key or ""
    wait = pause(policy.backoff, call.attempts - call.budget_from, chance(key, call.attempts), asked)
    return retry(call, judgement, response, wait, now)


def _exhausted(call: CallStatus, judgement: Judgement) -> Judgement:
    attempts = call.attempts - call.budget_from
    message = f"{judgement.message or judgement.reason} (attempt {attempts}, no retries left)"
    return Judgement(Verdict.FAILURE, judgement.effect, Reason.RETRIES_EXHAUSTED, message)


def _output(definition: StepDefinition, seen: dict[str, Any], judgement: Judgement) -> tuple[Payload | None, Judgement]:
    if definition.output is None:
        return None, judgement
    try:
        return Payload.model_validate(store(render(compile_template(definition.output), seen))), judgement
    except (ExpressionError, NotJSON) as error:
        failed = Judgement(Verdict.FAILURE, Effect.APPLIED, Reason.EXPRESSION_ERROR, f"output: {error}")
        return None, failed


def _seen(snapshot: Snapshot, step: StepStatus, response: ResponseRecord | None) -> dict[str, Any]:
    """What `outcome` and `output` can read: all that the step could, and the answer."""
    if response is None:
        return scope(snapshot, step.id)
    answered = step.model_copy(update={"response": response})
    status = with_call(snapshot.status, step.id, Direction.DO, answered)
    return scope(Snapshot(snapshot.run, snapshot.definition, status), step.id, response=response_view(response))


def _response(observation: Observation) -> ResponseRecord | None:
    if not isinstance(observation, Answered):
        return None
    header = {name: observation.header[name][:HEADER_BYTES] for name in KEPT_OF_RESPONSE if name in observation.header}
    body = store_answer(observation.body, observation.header.get("content-type"))
    return ResponseRecord.model_validate({"code": observation.code, "header": header or None, **body})


def _kept(response: ResponseRecord | None, judgement: Judgement) -> ResponseRecord | None:
    """The answer as it is stored: a large body only where something was done, for its output and its undo."""
    if response is None or judgement.effect is Effect.APPLIED:
        return response
    size = len(response.model_dump_json(exclude_none=True))
    return response if size <= INLINE_BYTES else ResponseRecord(code=response.code, header=response.header)


def _too_large(status: ExecutionStatus, step: StepStatus, outcome: Outcome, now: datetime) -> StepStatus:
    """The answer does not fit: the step has done its work, the run cannot go on, and what was done is undone."""
    message = f"with this answer the object would have more than {STATUS_BYTES // 1024} KiB"
    judgement = Judgement(Verdict.FAILURE, Effect.APPLIED, Reason.STATUS_TOO_LARGE, message)
    code = outcome.observation.code if isinstance(outcome.observation, Answered) else 0
    return close(step, _ended_in(judgement, status), judgement, ResponseRecord(code=code), now)
