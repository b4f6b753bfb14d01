"""What an answer made of a run: `record`. It judges one attempt and closes it; what follows is for `plan` to say."""

from dataclasses import replace
from datetime import datetime
from functools import partial
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
from flow_operator.engine.alignment import aligned, with_unknown
from flow_operator.engine.calls import close, overturn, retry, without_body
from flow_operator.engine.contract import Outcome, Run
from flow_operator.engine.definitions.definition import Definition, StepDefinition
from flow_operator.engine.expressions.evaluation import ExpressionError
from flow_operator.engine.expressions.json_text import NotJSON
from flow_operator.engine.expressions.templates import render
from flow_operator.engine.identity import chance
from flow_operator.engine.messages.excerpt import excerpt
from flow_operator.engine.messages.headers import KEPT_OF_RESPONSE
from flow_operator.engine.messages.limits import ANSWER_BYTES, HEADER_BYTES, INLINE_BYTES, STATUS_BYTES
from flow_operator.engine.messages.observation import Answered, Observation
from flow_operator.engine.messages.payload import size as payload_size
from flow_operator.engine.messages.payload import store, store_answer
from flow_operator.engine.retries import budget_left, pause, retry_after
from flow_operator.engine.size import size_of
from flow_operator.engine.snapshot import Snapshot, call_definition, response_view, scope
from flow_operator.engine.state import Call, call_of, forward_over, replaced, steps_of, with_call
from flow_operator.engine.verdicts import TOO_LARGE, Judgement, judge_do, judge_undo


def record(
    run: Run, definition: Definition, status: ExecutionStatus, outcome: Outcome, now: datetime
) -> ExecutionStatus:
    """The status with this outcome in it; the very same object when the attempt is already closed, or nowhere in it."""
    run, whole, unknown = aligned(run, definition, status)
    step = steps_of(whole).find(outcome.step)
    call = step if step is None or outcome.direction is Direction.DO else step.compensation
    if call is None or call.attempt_id != outcome.attempt:
        return status
    snapshot = Snapshot(run, definition, whole)
    changed = (
        _step_after(snapshot, call, outcome, now)
        if isinstance(call, StepStatus)
        else _undo_after(snapshot, call, outcome, now)
    )
    return with_unknown(_fitting(run, with_call(whole, outcome.step, outcome.direction, changed), outcome), unknown)


def _step_after(snapshot: Snapshot, step: StepStatus, outcome: Outcome, now: datetime) -> StepStatus:
    definition = snapshot.definition.by_id[step.id]
    response = _response(outcome.observation)
    seen = _seen(snapshot, step, response)
    judgement = judge_do(
        outcome.observation,
        definition.outcome,
        seen,
        conflicted=step.uncertain,
        answer=partial(excerpt, response),
    )
    output = None
    if judgement.verdict is Verdict.SUCCESS:
        output, judgement = _output(definition, seen, judgement)
    response, why = _kept(response, judgement), judgement
    if judgement.verdict is Verdict.RETRY and not forward_over(snapshot.status):
        if budget_left(step, definition.retry.limit):
            return _backing_off(snapshot, step, outcome, judgement, response, now)
        why = _exhausted(step, judgement)
    ended = close(step, _ended_in(judgement, snapshot.status), judgement, response, why, now)
    return replaced(ended, output=output)


def _undo_after(snapshot: Snapshot, undo: CallStatus, outcome: Outcome, now: datetime) -> CallStatus:
    response = _response(outcome.observation)
    judgement = judge_undo(outcome.observation, conflicted=undo.uncertain, answer=partial(excerpt, response))
    response, why = _kept(response, judgement), judgement
    limit = call_definition(snapshot.definition.by_id[outcome.step], Direction.UNDO).retry.limit
    if judgement.verdict is Verdict.RETRY:
        if budget_left(undo, limit):
            return _backing_off(snapshot, undo, outcome, judgement, response, now)
        why = _exhausted(undo, judgement)
    phase = Phase.SUCCESS if judgement.verdict is Verdict.SUCCESS else Phase.FAILURE
    return close(undo, phase, judgement, response, why, now)


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
        assert definition.output_template is not None
        output = store(render(definition.output_template, seen))
    except (ExpressionError, NotJSON) as error:
        return None, Judgement(Verdict.FAILURE, Effect.APPLIED, Reason.EXPRESSION_ERROR, f"output: {error}")
    if payload_size(output) > ANSWER_BYTES:
        return None, replace(TOO_LARGE, message="the output is too large to be kept")
    return Payload.model_validate(output), judgement


def _seen(snapshot: Snapshot, step: StepStatus, response: ResponseRecord | None) -> dict[str, Any]:
    """What `outcome` and `output` can read: all that the step could, and the answer."""
    expressions = snapshot.definition.by_id[step.id]
    if expressions.output is None and not expressions.outcome.has_expressions:
        return {}
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
    return response if size <= INLINE_BYTES else without_body(response)


def _fitting(run: Run, status: ExecutionStatus, outcome: Outcome) -> ExecutionStatus:
    """The status with this answer if it fits, else without its body.

    Without the body of an answer that the run needs, it cannot go on: the step has done its work, but it failed, and
    what was done is undone.
    """
    if size_of(run, status) <= STATUS_BYTES:
        return status
    call = call_of(status, outcome.step, outcome.direction)
    assert call is not None
    call = replaced(call, response=call.response and without_body(call.response))
    if isinstance(call, StepStatus) and call.phase is Phase.SUCCESS:
        message = f"with this answer the object would have more than {STATUS_BYTES // 1024} KiB"
        ended = Phase.ABORTED if forward_over(status) else Phase.FAILURE
        call = replaced(overturn(call, ended, Reason.STATUS_TOO_LARGE, message), output=None)
    return with_call(status, outcome.step, outcome.direction, call)
