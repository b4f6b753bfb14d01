"""Findings about fields, one by one: what the schema says, told with paths as people write them."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from flow_operator.api.meta import Model
from flow_operator.api.reasons import Reason
from flow_operator.api.status import Finding
from flow_operator.engine.definitions.field_mistakes import explain, known_fields, without_alternatives
from flow_operator.engine.expressions.json_text import MAX_DEPTH, TooBig, weigh
from flow_operator.engine.expressions.spelling import did_you_mean

Spec = TypeVar("Spec", bound=Model)
SPEC_DEPTH = MAX_DEPTH + 8
"""Levels of a spec: those of a template, and what lies above it (spec.steps[0].compensate.input.body)."""


def parsed(
    model: type[Spec], raw: Any, path: str = "spec", *, strict: bool = False
) -> tuple[Spec | None, list[Finding]]:
    """The value of a raw document, or all that is wrong with it. `strict` refuses unknown fields too."""
    try:
        weigh(raw, most=sys.maxsize, depth=SPEC_DEPTH)
        return model.model_validate(raw, extra="forbid" if strict else "ignore"), []
    except ValidationError as error:
        return None, list(_findings(model, error.errors(include_url=False), path))
    except (TooBig, RecursionError):
        message = f"nested too deeply: a template may have {MAX_DEPTH} levels"
        return None, [Finding(path=path, reason=Reason.INVALID_FIELD, message=message)]


def joined(path: str, keys: Sequence[str | int]) -> str:
    """A path and keys below it: `spec.steps` and (2, "id") is `spec.steps[2].id`."""
    for key in keys:
        path += f"[{key}]" if isinstance(key, int) else f".{key}"
    return path


def _findings(model: type[Model], errors: list[ErrorDetails], path: str) -> Iterator[Finding]:
    for error in without_alternatives(errors):
        where = joined(path, error["loc"])
        message = explain(error)
        match error["type"]:
            case "extra_forbidden":
                message += did_you_mean(str(error["loc"][-1]), known_fields(model, error["loc"]))
                yield Finding(path=where, reason=Reason.UNKNOWN_FIELD, message=message)
            case "duplicate_id":
                yield Finding(path=f"{where}.steps", reason=Reason.DUPLICATE_ID, message=message)
            case "too_short" if _inside(error, errors):
                pass  # it counts only the items in which nothing is wrong
            case _:
                yield Finding(path=where, reason=Reason.INVALID_FIELD, message=message)


def _inside(error: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """Whether something is wrong below the field of this error."""
    depth = len(error["loc"])
    return any(len(other["loc"]) > depth and other["loc"][:depth] == error["loc"] for other in errors)
