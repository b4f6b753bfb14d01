"""Findings about expressions and headers: everything that can be known to fail before anything is run."""

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from flow_operator.api.reasons import Reason
from flow_operator.api.status import Finding
from flow_operator.api.step import Compensate, Endpoint, Message, Outcome, StepSpec
from flow_operator.engine.expressions.evaluation import Expression, InvalidExpression, compile_expression
from flow_operator.engine.expressions.expression_errors import shortened
from flow_operator.engine.expressions.spelling import did_you_mean
from flow_operator.engine.expressions.templates import template_expressions
from flow_operator.engine.messages.headers import problem

SELF = "self"
_SELF = "only outcome, output and compensate know what the step did"
_WHERE = {
    "response": ": it is the answer that outcome and output judge; elsewhere write steps.<id>.response",
    "error": ": it is the failure that a fallback or compensate answers to",
    "item": ": no field of a step has items",
    "index": ": no field of a step has items",
}
_NAMED = 10
_WORD = re.compile(r"[\w.?\[\]'\"]+")
EVERYWHERE = frozenset({"input", "header", "steps", "execution"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands, and what it can read there."""

    path: str
    ancestors: frozenset[str] | None
    """Ids of the steps that it can read; None when that is not known: a Step knows no workflow."""
    others: frozenset[str] = frozenset()
    """Ids of the steps of the workflow that could be read too, if they were required."""
    later: frozenset[str] = frozenset()
    """Ids of the steps that come after it."""
    own: str | None = None
    """Id of the step that it stands in."""
    more: frozenset[str] = frozenset()
    """Variables besides those that can be read everywhere, and `self` where steps.self can be read."""
    undo: bool = False

    def at(self, suffix: str, *more: str) -> "Place":
        """A place below this one."""
        return replace(self, path=self.path + suffix, more=self.more | set(more))


def in_step(call: StepSpec, place: Place) -> Iterator[Finding]:
    """All that is wrong with the expressions and headers of a step."""
    yield from _endpoint(call.endpoint, place.at(".endpoint"))
    yield from in_message(call.input, place.at(".input"))
    yield from in_template(call.output, place.at(".output", "response", SELF))
    yield from _outcome(call.outcome, place.at(".outcome", "response", SELF))
    if call.compensate is not None:
        yield from _compensate(call.compensate, place.at(".compensate", "error", SELF))


def _compensate(undo: Compensate, place: Place) -> Iterator[Finding]:
    place = replace(place, undo=True)
    yield from _endpoint(undo.endpoint, place.at(".endpoint"))
    yield from in_message(undo.input, place.at(".input"))


def _endpoint(endpoint: Endpoint, place: Place) -> Iterator[Finding]:
    if endpoint.url is not None:
        yield from in_template(endpoint.url, place.at(".url"))
        if "${" not in endpoint.url and not _absolute(endpoint.url):
            message = f"{endpoint.url!r} is not an absolute URL: write http:// or https://, a host, and a path"
            yield Finding(path=f"{place.path}.url", reason=Reason.INVALID_FIELD, message=message)
    for number, header in enumerate(endpoint.header):
        yield from _header(header.name, header.value, place.at(f".header[{number}]"), ".name", ".value")


def in_message(message: Message | None, place: Place) -> Iterator[Finding]:
    """All that is wrong with what a call is sent."""
    if message is None:
        return
    for name, value in (message.header or {}).items():
        yield from _header(name, value, place.at(f".header.{name}"), "", "")
    yield from in_template(message.body, place.at(".body"))


def _header(name: str, value: str, place: Place, at_name: str, at_value: str) -> Iterator[Finding]:
    wrong = problem(name, None if "${" in value else value)
    if wrong is not None:
        message = f"{wrong}: take it out, or write another"
        yield Finding(path=place.path + at_name, reason=Reason.INVALID_HEADER, message=message)
    yield from in_template(value, place.at(at_value))


def _outcome(outcome: Outcome | None, place: Place) -> Iterator[Finding]:
    for field, source in _tests(outcome):
        yield from in_condition(source, place.at(f".{field}"))


def notes_on_outcome(outcome: Outcome | None, path: str) -> Iterator[Finding]:
    """What is not wrong and likely not meant: a test of the answer that fails where the answer has no such body.

    The step was done then, and yet it is a Failure. Where `has` is asked, somebody has thought of it.
    """
    for field, source in _tests(outcome):
        try:
            expression = compile_expression(source)
        except InvalidExpression:
            continue
        if ("response", "body") in expression.unguarded and "has(" not in source:
            read = max((each for each in expression.unguarded if each[:2] == ("response", "body")), key=len)
            guarded = "response" + "".join(f".?{name}" for name in read[1:])
            message = (
                f"{'.'.join(read)} may be absent, which fails the step though it was done: "
                f"read {guarded}, for example {guarded}.orValue('')"
            )
            yield Finding(path=f"{path}.outcome.{field}", reason=Reason.UNGUARDED_READ, message=message)


def _tests(outcome: Outcome | None) -> Iterator[tuple[str, str]]:
    if outcome is not None:
        tests = {
            "failWhen": outcome.fail_when,
            "retryWhen": outcome.retry_when,
            "successWhen": outcome.success_when,
        }
        yield from ((field, source) for field, source in tests.items() if source is not None)


def in_condition(source: str | None, place: Place) -> Iterator[Finding]:
    """All that is wrong with an expression that must be true or false."""
    if source is None:
        return
    try:
        expression = compile_expression(source)
    except InvalidExpression as error:
        yield Finding(path=place.path, reason=Reason.INVALID_EXPRESSION, message=str(error))
        return
    if not expression.may_be("bool"):
        message = f"a condition must be bool, this is {expression.result}: compare it, as in {_shown(source)} == …"
        yield Finding(path=place.path, reason=Reason.INVALID_EXPRESSION, message=message)
    yield from _reads(expression, place)


def in_template(template: Any, place: Place) -> Iterator[Finding]:
    """All that is wrong with the expressions in a template."""
    if template is None:
        return
    for path, expression in template_expressions(template):
        where = place.at(path)
        if isinstance(expression, Expression):
            yield from _reads(expression, where)
        else:
            yield Finding(path=where.path, reason=Reason.INVALID_EXPRESSION, message=str(expression))


def _reads(expression: Expression, place: Place) -> Iterator[Finding]:
    for variable in sorted(expression.roots - EVERYWHERE - place.more):
        message = f"{variable} cannot be read here{_WHERE.get(variable, '')}"
        yield Finding(path=place.path, reason=Reason.INVALID_EXPRESSION, message=message)
    for id in sorted(expression.steps):
        wrong = _wrong_step(id, place)
        if wrong is not None:
            yield Finding(path=place.path, reason=Reason.NOT_AN_ANCESTOR, message=wrong)
    if place.undo and ("error",) in expression.unguarded:
        message = (
            "error is absent where no step failed, as after an abort: read error.?reason, "
            "for example error.?reason.orValue('aborted')"
        )
        yield Finding(path=place.path, reason=Reason.UNGUARDED_READ, message=message)
    if place.undo:
        for field in ("response", "output"):
            if ("steps", SELF, field) in expression.unguarded:
                message = (
                    f"steps.self.{field} is absent in the very case this undo is for: read steps.self.?{field}, "
                    "for example steps.self.?response.?body.?id.orValue('')"
                )
                yield Finding(path=place.path, reason=Reason.UNGUARDED_READ, message=message)


def _wrong_step(id: str, place: Place) -> str | None:
    if id == SELF:
        return None if SELF in place.more else f"steps.self cannot be read here: {_SELF}"
    if place.ancestors is None or id in place.ancestors:
        return None
    if id == place.own:
        return f"{id} is this very step: write steps.self, in outcome, output and compensate"
    if id in place.others:
        return f"{id} need not be over by then: add it to requires, of this step or of one that it requires"
    known = place.ancestors | place.others
    if place.own is not None and id in place.later:
        return f"{id} comes after {place.own}, so it cannot be read here: only steps that are over by then can"
    return (
        f"there is no step {id} in this workflow{did_you_mean(id, known | place.later) or _named(known | place.later)}"
    )


def _named(ids: Set[str]) -> str:
    named = sorted(ids)[:_NAMED]
    return f": there are {', '.join(named)}{', …' if len(ids) > _NAMED else ''}" if named else ""


def _shown(source: str) -> str:
    return shortened(source) if _WORD.fullmatch(source) else f"({shortened(source)})"


def _absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
