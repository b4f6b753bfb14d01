"""The table "Two facts per attempt", row by row."""

from typing import Any

import pytest

from flow_operator.api.step import Outcome
from flow_operator.engine.messages.observation import Answered, Denied, NoAnswer, NotSent, Observation
from flow_operator.engine.verdicts import judge_do, judge_undo


def answered(code: int, *, too_large: bool = False) -> Answered:
    return Answered(code, {}, b"", too_large)


AGAIN_NOT = {"retryWhen": "true", "successWhen": "false"}
ERRORS = {"failWhen": "input.no", "retryWhen": "1 / 0 == 1"}
SURE = {"success": ["2xx", 503], "failureEffect": "Applied"}
LISTS = {"success": [200, 404], "retry": [202, "4xx"]}

ROWS: list[tuple[str, Observation, dict[str, Any], str]] = [
    ("2xx", answered(200), {}, "Success/Applied"),
    ("2xx, 202 included", answered(202), {}, "Success/Applied"),
    ("2xx, successWhen true", answered(200), {"successWhen": "true"}, "Success/Applied"),
    ("2xx, successWhen false", answered(200), {"successWhen": "false"}, "Failure/None SuccessWhen"),
    ("2xx, failWhen true", answered(200), {"failWhen": "true"}, "Failure/None FailWhen"),
    ("2xx, failWhen false", answered(200), {"failWhen": "false"}, "Success/Applied"),
    ("failureEffect", answered(200), {"failWhen": "true", "failureEffect": "Unknown"}, "Failure/Unknown FailWhen"),
    ("retryWhen on a 2xx", answered(200), {"retryWhen": "true"}, "Retry/Unknown RetryWhen"),
    ("retryWhen on 422", answered(422), {"retryWhen": "true"}, "Retry/None RetryWhen"),
    ("retryWhen on 500", answered(500), {"retryWhen": "true"}, "Retry/Unknown RetryWhen"),
    ("failWhen on 500", answered(500), {"failWhen": "true"}, "Failure/Unknown FailWhen"),
    ("failWhen on 422", answered(422), {"failWhen": "true"}, "Failure/None FailWhen"),
    ("failWhen before retryWhen", answered(200), {"failWhen": "true", "retryWhen": "true"}, "Failure/None FailWhen"),
    ("retryWhen before successWhen", answered(200), AGAIN_NOT, "Retry/Unknown RetryWhen"),
    ("successWhen is no matter of 500", answered(500), {"successWhen": "false"}, "Retry/Unknown UnexpectedCode"),
    ("an error on a 2xx", answered(200), {"failWhen": "input.no"}, "Failure/Applied ExpressionError"),
    ("an error on a 2xx in the third", answered(200), {"successWhen": "1 / 0 == 1"}, "Failure/Applied ExpressionError"),
    ("errors on 503", answered(503), ERRORS, "Retry/Unknown UnexpectedCode"),
    ("an error on 422", answered(422), {"retryWhen": "input.no"}, "Failure/None UnexpectedCode"),
    ("over the limit", answered(200, too_large=True), {}, "Failure/Applied PayloadTooLarge"),
    ("over the limit, failWhen", answered(200, too_large=True), AGAIN_NOT, "Failure/Applied PayloadTooLarge"),
    ("over the limit on a listed success", answered(404, too_large=True), LISTS, "Failure/Applied PayloadTooLarge"),
    ("the same, failWhen", answered(404, too_large=True), LISTS | AGAIN_NOT, "Failure/Applied PayloadTooLarge"),
    ("failWhen on a listed success", answered(404), LISTS | {"failWhen": "true"}, "Failure/None FailWhen"),
    ("failureEffect on a listed success", answered(503), SURE | {"failWhen": "true"}, "Failure/Applied FailWhen"),
    ("successWhen on a listed success", answered(503), SURE | {"successWhen": "false"}, "Failure/Applied SuccessWhen"),
    ("retryWhen on a listed success", answered(404), LISTS | {"retryWhen": "true"}, "Retry/Unknown RetryWhen"),
    ("an error on a listed success", answered(404), LISTS | ERRORS, "Failure/Applied ExpressionError"),
    ("an error on a listed 503", answered(503), SURE | ERRORS, "Failure/Applied ExpressionError"),
    ("over the limit on 503", answered(503, too_large=True), {}, "Retry/Unknown UnexpectedCode"),
    ("no address", NotSent("NoAddress", ""), {}, "Retry/None NoAddress"),
    ("connect timeout", NotSent("ConnectTimeout", ""), {}, "Retry/None ConnectTimeout"),
    ("read timeout", NoAnswer("RequestTimeout", ""), {}, "Retry/Unknown RequestTimeout"),
    ("a 2xx that breaks off", NoAnswer("IncompleteAnswer", "", 200), {}, "Retry/Unknown IncompleteAnswer"),
    ("destination not allowed", Denied(""), {}, "Failure/None EgressDenied"),
    ("429", answered(429), {}, "Retry/None TooManyRequests"),
    ("408", answered(408), {}, "Retry/Unknown UnexpectedCode"),
    ("425", answered(425), {}, "Retry/Unknown UnexpectedCode"),
    ("500", answered(500), {}, "Retry/Unknown UnexpectedCode"),
    ("599", answered(599), {}, "Retry/Unknown UnexpectedCode"),
    ("409", answered(409), {}, "Failure/None Conflict"),
    ("404", answered(404), {}, "Failure/None UnexpectedCode"),
    ("301", answered(301), {}, "Failure/None Redirect"),
    ("a listed success", answered(404), LISTS, "Success/Applied"),
    ("a class listed for retry", answered(422), LISTS, "Retry/None UnexpectedCode"),
    ("a 2xx listed for retry", answered(202), LISTS, "Retry/Unknown UnexpectedCode"),
    ("a 2xx that is not listed", answered(201), LISTS, "Failure/None UnexpectedCode"),
    ("5xx not listed for retry", answered(500), LISTS, "Failure/Unknown UnexpectedCode"),
]  # fmt: skip

AFTER_UNKNOWN: list[tuple[str, Observation, dict[str, Any], str]] = [
    ("409", answered(409), {}, "Retry/Unknown Conflict"),
    ("409, listed as success", answered(409), {"success": ["2xx", 409]}, "Success/Applied"),
    ("409, listed, failWhen", answered(409), {"success": [409], "failWhen": "true"}, "Failure/None FailWhen"),
    ("409, retryWhen", answered(409), {"retryWhen": "true"}, "Retry/Unknown RetryWhen"),
    ("409, failWhen", answered(409), {"failWhen": "true"}, "Failure/Unknown FailWhen"),
    ("422", answered(422), {}, "Failure/None UnexpectedCode"),
    ("200", answered(200), {}, "Success/Applied"),
]

UNDO: list[tuple[str, Observation, str]] = [
    ("200", answered(200), "Success/Applied"),
    ("202", answered(202), "Success/Applied"),
    ("200, over the limit", answered(200, too_large=True), "Success/Applied"),
    ("404", answered(404), "Success/Applied"),
    ("410", answered(410), "Success/Applied"),
    ("408", answered(408), "Retry/Unknown UnexpectedCode"),
    ("425", answered(425), "Retry/Unknown UnexpectedCode"),
    ("429", answered(429), "Retry/None TooManyRequests"),
    ("500", answered(500), "Retry/Unknown UnexpectedCode"),
    ("no answer", NoAnswer("ConnectionLost", ""), "Retry/Unknown ConnectionLost"),
    ("nothing sent", NotSent("TLSFailure", ""), "Retry/None TLSFailure"),
    ("409", answered(409), "Failure/None Conflict"),
    ("403", answered(403), "Failure/None UnexpectedCode"),
    ("307", answered(307), "Failure/None Redirect"),
    ("denied", Denied(""), "Failure/None EgressDenied"),
]


def ids(rows: list[Any]) -> list[str]:
    return [row[0] for row in rows]


def said(observation: Observation, outcome: dict[str, Any], *, conflicted: bool) -> str:
    judged = judge_do(observation, Outcome.model_validate(outcome), {"input": {}}, conflicted=conflicted)
    return f"{judged.verdict}/{judged.effect}" + (f" {judged.reason}" if judged.reason else "")


@pytest.mark.parametrize(("_", "observation", "outcome", "judged"), ROWS, ids=ids(ROWS))
def test_a_forward_attempt(_: str, observation: Observation, outcome: dict[str, Any], judged: str) -> None:
    assert said(observation, outcome, conflicted=False) == judged


@pytest.mark.parametrize(("_", "observation", "outcome", "judged"), AFTER_UNKNOWN, ids=ids(AFTER_UNKNOWN))
def test_after_an_unknown_attempt(_: str, observation: Observation, outcome: dict[str, Any], judged: str) -> None:
    assert said(observation, outcome, conflicted=True) == judged


@pytest.mark.parametrize(("_", "observation", "judged"), UNDO, ids=ids(UNDO))
def test_an_undo(_: str, observation: Observation, judged: str) -> None:
    found = judge_undo(observation, conflicted=False)
    assert f"{found.verdict}/{found.effect}" + (f" {found.reason}" if found.reason else "") == judged


def test_an_undo_that_conflicts_with_itself_is_retried() -> None:
    assert judge_undo(answered(409), conflicted=True).verdict == "Retry"


@pytest.mark.parametrize("code", range(100, 600))
def test_no_answer_is_without_a_verdict(code: int) -> None:
    judged = judge_do(answered(code), Outcome(), {}, conflicted=False)
    assert (judged.verdict == "Success") is (200 <= code < 300)
    assert (judged.effect == "Applied") is (judged.verdict == "Success")
    assert judge_undo(answered(code), conflicted=False).verdict in {"Success", "Retry", "Failure"}
