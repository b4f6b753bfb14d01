"""What is wrong with the value of a field, and what to write instead, in Flow's own words.

pydantic says `String should match pattern '^([0-9]+(ms|s|m|h|d))+$'`. Only the kind of its errors is used here, and the
numbers and patterns in them; its sentences never reach a user.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from flow_operator.api import duration, step, workflow
from flow_operator.engine.expressions.json_text import NotJSON, Number, TooBig, write
from flow_operator.engine.expressions.spelling import did_you_mean

_SHOWN: Final = 60
_NOT_VALID: Final = "the value is not valid for this field"
_EITHER: Final = "either"
_ALTERNATIVE: Final = re.compile(r"constrained-(int|str|float)")
_INSIDE: Final = {"stepRef": "name", "workflowRef": "name", "endpoint": "url", "input": "body", "compensation": "mode"}
_OBJECT_NAME: Final = "must be the name of an object: a-z, 0-9, - and ., at most 63 characters"
_PATTERNS: Final = {
    duration.PATTERN: "must be a duration, a number with a unit such as 500ms, 10s, 1h30m or 7d",
    step.CODE_PATTERN: "must be a status code from 100 to 599, or a class of them such as 4xx",
    step.HEADER_NAME_PATTERN: "must be the name of a header: letters, digits and -",
    step.URL_PATTERN: "must begin with http:// or https://, or be a template such as ${input.url}",
    step.SERVICE_PATTERN: "must be the name of a Service: a-z, 0-9 and -, from a letter on, at most 63 characters",
    step.METHOD_PATTERN: "must be a method such as Payments.Charge or orders.v1.Orders/Reserve",
    workflow.STEP_ID_PATTERN: "must be a step id: a-z, 0-9, - and _, from a letter on, at most 63 characters",
    workflow.OBJECT_NAME_PATTERN: _OBJECT_NAME,
}
_TYPES: Final = {
    "string": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "an object",
    "model": "an object",
}


def explain(error: ErrorDetails) -> str:
    """What is wrong with one field; the caller says which."""
    kind, given, context = error["type"], error.get("input"), error.get("ctx", {})
    if kind in ("value_error", "duplicate_id"):
        return error["msg"].removeprefix("Value error, ")
    if kind == _EITHER:
        code = any(key in ("success", "retry") for key in error["loc"])
        return f"{_PATTERNS[step.CODE_PATTERN] if code else _NOT_VALID}, got {_shown(given)}"
    if kind == "missing":
        return "is required, and not given"
    if kind == "extra_forbidden":
        return "there is no such field"
    if kind == "string_pattern_mismatch":
        return _pattern(str(context["pattern"]), given)
    if kind in ("literal_error", "enum"):
        allowed = re.findall(r"'([^']*)'", str(context["expected"]))
        meant = did_you_mean(given, allowed) if isinstance(given, str) else ""
        return f"must be {_alternatives(allowed)}, got {_shown(given)}{meant}"
    return _bounds(kind, given, context) or _type(kind, given) + _instead(error)


def without_alternatives(errors: Iterable[ErrorDetails]) -> Iterator[ErrorDetails]:
    """The errors; that of a field which can be of two types once, where pydantic has one for each type."""
    told: set[tuple[str | int, ...]] = set()
    for error in errors:
        *path, last = error["loc"] or ("",)
        if not isinstance(last, str) or not _ALTERNATIVE.fullmatch(last):
            yield error
        elif tuple(path) not in told:
            told.add(tuple(path))
            yield {**error, "loc": tuple(path), "type": _EITHER}


def _instead(error: ErrorDetails) -> str:
    """What to write for a value that stands where an object with this value in it is meant."""
    field, given = str((error["loc"] or ("",))[-1]), error.get("input")
    inside = _INSIDE.get(field)
    if error["type"].startswith("model") and inside and isinstance(given, str):
        return f": write {{{inside}: {_shown(given)}}}"
    return ""


def known_fields(model: type[BaseModel], path: Sequence[str | int]) -> frozenset[str]:
    """The names of the fields beside the last of this path; none where the path leaves the models."""
    kind: Any = model
    for key in path[:-1]:
        if isinstance(key, str):
            fields = (
                {field.alias or name: field for name, field in kind.model_fields.items()} if _is_model(kind) else {}
            )
            kind = _inner(fields[key].annotation) if key in fields else None
    return (
        frozenset(field.alias or name for name, field in kind.model_fields.items()) if _is_model(kind) else frozenset()
    )


def _inner(annotation: Any) -> Any:
    """The model in `Model | None`, `tuple[Model, ...]` or an `Annotated` of them."""
    if _is_model(annotation):
        return annotation
    return next((found for each in get_args(annotation) if _is_model(found := _inner(each))), None)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _pattern(pattern: str, given: Any) -> str:
    said = f"{_PATTERNS.get(pattern, f'must match {pattern}')}, got {_shown(given)}"
    if pattern == duration.PATTERN and re.fullmatch(r"[0-9]+", str(given)):
        return f"{said}: write {given}s if seconds are meant"
    if pattern == step.URL_PATTERN and re.match(r"[\w.-]+(:\d+)?(/|$)", str(given)):
        return f"{said}: write http://{str(given)[:_SHOWN]}"
    if pattern == workflow.STEP_ID_PATTERN and (valid := re.sub(r"[^a-z0-9_-]+", "-", str(given).lower()).strip("-_")):
        return f"{said}: write {valid[:_SHOWN]}" if re.match(r"[a-z]", valid) else said
    return said


def _bounds(kind: str, given: Any, context: dict[str, Any]) -> str | None:
    match kind:
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}, got {_shown(given)}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}, got {_shown(given)}"
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"must have at most {context['max_length']} characters, has {len(str(given))}"
        case "too_short":
            return f"must have at least {_items(context['min_length'])}"
        case "too_long":
            return f"must have at most {_items(context['max_length'])}"
    return None


def _type(kind: str, given: Any) -> str:
    wanted = _TYPES.get(kind.partition("_")[0])
    if wanted is None:
        return f"{_NOT_VALID}, got {_shown(given)}"
    said = f"must be {wanted}, got {_shown(given)}"
    if wanted == "a string" and isinstance(given, (int, float, bool, Number)):
        return f'{said}: write "{_shown(given)}", in quotes'
    if isinstance(given, str) and wanted in ("an integer", "a number", "true or false"):
        return f"{said}: write it without quotes" if _is_one(given, wanted) else said
    if wanted == "a list" and given is not None:
        return f"{said}: write [{_shown(given)}]" if isinstance(given, (str, int)) else said
    return said


def _is_one(given: str, wanted: str) -> bool:
    pattern = {"an integer": r"-?\d+", "a number": r"-?\d+(\.\d+)?"}.get(wanted, "true|false")
    return re.fullmatch(pattern, given) is not None


def _items(number: int) -> str:
    return f"{number} item" if number == 1 else f"{number} items"


def _alternatives(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _shown(value: Any) -> str:
    """A value as its JSON, shortened; what no JSON can hold by its type."""
    try:
        text = write(value)
    except (NotJSON, TooBig, TypeError, ValueError, RecursionError):
        return f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
