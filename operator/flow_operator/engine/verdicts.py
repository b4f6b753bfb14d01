"""What an observation means: verdict (what to do next) and effect (what may have happened). Two facts, never merged.

The table of semantics, "Two facts per attempt", row by row. `conflicted` says that an earlier attempt under the same
key is Unknown: the original may still be in flight, so a 409 proves nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flow_operator.api.reasons import Reason
from flow_operator.api.status import Effect, Verdict
from flow_operator.api.step import Outcome
from flow_operator.engine.expressions import pinned
from flow_operator.engine.expressions.evaluation import ExpressionError
from flow_operator.engine.expressions.expression_errors import shortened
from flow_operator.engine.messages.observation import Answered, Denied, NoAnswer, NotSent, Observation

UNCERTAIN_CLIENT_CODES = frozenset({408, 425})
UNDONE_CODES = frozenset({404, 410})
UNDO_RETRY_CODES = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an attempt came to."""

    verdict: Verdict
    effect: Effect
    reason: Reason | str | None = None
    message: str | None = None


TOO_LARGE = Judgement(Verdict.FAILURE, Effect.APPLIED, Reason.PAYLOAD_TOO_LARGE, "the answer is too large to be kept")


def judge_do(
    observation: Observation,
    outcome: Outcome,
    scope: Mapping[str, Any],
    *,
    conflicted: bool,
    answer: Callable[[], str] = str,
) -> Judgement:
    """The judgement of a forward attempt.

    `scope` is what the expressions of `outcome` see, `answer` what a message shows of the answer.
    """
    if not isinstance(observation, Answered):
        return _without_answer(observation)
    code, told = observation.code, partial(_told, observation.code, answer)
    if observation.too_large and _done(code, outcome):
        return TOO_LARGE
    try:
        return _by_expressions(code, outcome, scope, conflicted, told) or _by_lists(code, outcome, conflicted, told)
    except ExpressionError as error:
        return Judgement(Verdict.FAILURE, Effect.APPLIED, Reason.EXPRESSION_ERROR, f"outcome: {error}")


def judge_undo(observation: Observation, *, conflicted: bool, answer: Callable[[], str] = str) -> Judgement:
    """The judgement of an undo: 2xx, 404 and 410 mean done; what may pass is retried; all else parks (Failure)."""
    if not isinstance(observation, Answered):
        return _without_answer(observation)
    code = observation.code
    effect = _effect_of(code, conflicted)
    if _is_success(code) or code in UNDONE_CODES:
        return Judgement(Verdict.SUCCESS, Effect.APPLIED)
    if code in UNDO_RETRY_CODES or code >= 500 or (code == 409 and conflicted):
        return Judgement(Verdict.RETRY, effect, _reason_of(code), _told(code, answer))
    return Judgement(Verdict.FAILURE, effect, _reason_of(code), _told(code, answer))


def _without_answer(observation: NotSent | NoAnswer | Denied) -> Judgement:
    match observation:
        case NotSent(reason, message):
            return Judgement(Verdict.RETRY, Effect.NONE, reason, message)
        case NoAnswer(reason, message):
            return Judgement(Verdict.RETRY, Effect.UNKNOWN, reason, message)
        case Denied(message):
            return Judgement(Verdict.FAILURE, Effect.NONE, Reason.EGRESS_DENIED, message)


def _told(code: int, answer: Callable[[], str]) -> str:
    said = answer()
    return f"HTTP {code}: {said}" if said else f"HTTP {code}"


def _decided(told: Callable[[], str], test: str, truth: str, source: str | None) -> str:
    return f"{told()}, and outcome.{test} is {truth}: {shortened(source or '')}"


def _by_expressions(
    code: int, outcome: Outcome, scope: Mapping[str, Any], conflicted: bool, told: Callable[[], str]
) -> Judgement | None:
    """The judgement by failWhen, retryWhen, successWhen in this order; None when none decides.

    Raises ExpressionError where the service has done it: on any other code an expression that fails does not count.
    """
    certain = _done(code, outcome)

    def holds(source: str | None) -> bool | None:
        try:
            return None if source is None else pinned.holds(source, scope)
        except ExpressionError:
            if certain:
                raise
            return None

    if holds(outcome.fail_when):
        effect = Effect(outcome.failure_effect) if certain else _effect_of(code, conflicted)
        message = _decided(told, "failWhen", "true", outcome.fail_when)
        return Judgement(Verdict.FAILURE, effect, Reason.FAIL_WHEN, message)
    if holds(outcome.retry_when):
        effect = Effect.UNKNOWN if certain else _effect_of(code, conflicted)
        message = _decided(told, "retryWhen", "true", outcome.retry_when)
        return Judgement(Verdict.RETRY, effect, Reason.RETRY_WHEN, message)
    if _listed(code, outcome.success) and holds(outcome.success_when) is False:
        effect = Effect(outcome.failure_effect) if certain else _effect_of(code, conflicted)
        message = _decided(told, "successWhen", "false", outcome.success_when)
        return Judgement(Verdict.FAILURE, effect, Reason.SUCCESS_WHEN, message)
    return None


def _by_lists(code: int, outcome: Outcome, conflicted: bool, told: Callable[[], str]) -> Judgement:
    if _listed(code, outcome.success):
        return Judgement(Verdict.SUCCESS, Effect.APPLIED)
    if _is_success(code) and _listed(code, outcome.retry):
        return Judgement(Verdict.RETRY, Effect.UNKNOWN, Reason.UNEXPECTED_CODE, told())
    if _is_success(code):
        message = f"{told()}, and the code is not one of outcome.success"
        return Judgement(Verdict.FAILURE, Effect(outcome.failure_effect), Reason.UNEXPECTED_CODE, message)
    again = _listed(code, outcome.retry) or (code == 409 and conflicted)
    return Judgement(
        Verdict.RETRY if again else Verdict.FAILURE, _effect_of(code, conflicted), _reason_of(code), told()
    )


def _effect_of(code: int, conflicted: bool) -> Effect:
    """What may have happened behind an answer that is no success."""
    uncertain = code in UNCERTAIN_CLIENT_CODES or code >= 500 or (code == 409 and conflicted)
    return Effect.UNKNOWN if uncertain else Effect.NONE


def _reason_of(code: int) -> Reason:
    if code == 409:
        return Reason.CONFLICT
    if code == 429:
        return Reason.TOO_MANY_REQUESTS
    return Reason.REDIRECT if 300 <= code < 400 else Reason.UNEXPECTED_CODE


def _done(code: int, outcome: Outcome) -> bool:
    """Whether the service says that it has done it: any 2xx, and every code that is listed under `success`."""
    return _is_success(code) or _listed(code, outcome.success)


def _is_success(code: int) -> bool:
    return 200 <= code < 300


def _listed(code: int, codes: Iterable[int | str]) -> bool:
    return any(code == each or (isinstance(each, str) and _matches(code, each)) for each in codes)


def _matches(code: int, pattern: str) -> bool:
    text = str(code)
    return text == pattern or (pattern.endswith("xx") and text[0] == pattern[0])
