"""A spec without the values that its fields cannot have, so that the rest of it can be judged as well.

What is taken out has its own finding. What is put in its place is made so that nothing more is found there.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from flow_operator.api.meta import Model
from flow_operator.api.reasons import Reason
from flow_operator.api.status import Finding
from flow_operator.engine.definitions.field_findings import parsed

_ROUNDS = 100
_WIRING = frozenset({"id", "requires", "acceptSkipped", "fallback", "stepRef", "steps"})
_OF_WIRING = frozenset(
    {Reason.UNKNOWN_STEP, Reason.CYCLE, Reason.INVALID_DEPENDENCY, Reason.NOT_AN_ANCESTOR, Reason.DUPLICATE_ID}
)
_SOMEWHERE = {"url": "http://unreadable"}


@dataclass(slots=True)
class Mended:
    """What is left of a spec, and which findings about it would only follow from what was taken out."""

    spec: Any
    found: dict[tuple[str, str], Finding] = field(default_factory=dict)
    """What was wrong with its fields; some of it shows only once something else is taken out."""
    untold: frozenset[str] = field(default=frozenset())


def mended(model: type[Model], raw: Any) -> Mended | None:
    """The spec with every value taken out that the model refuses; None when that leaves too little."""
    found = Mended(deepcopy(raw))
    if not isinstance(found.spec, dict):
        return None
    for _ in range(_ROUNDS):
        try:
            model.model_validate(found.spec)
        except ValidationError as error:
            found.found.update({(each.path, each.message): each for each in parsed(model, found.spec)[1]})
            _mend(found, error.errors(include_url=False, include_context=False)[0])
        except RecursionError:
            return None
        else:
            return found
    return None


def _mend(found: Mended, error: ErrorDetails) -> None:
    """Take out the value that one error is about."""
    if error["type"] == "duplicate_id":
        _rename_doubles(found)
        return
    *above, last = _existing(found.spec, error["loc"]) or ["steps"]
    if error["type"] == "missing":
        above, last = list(error["loc"][:-1]), error["loc"][-1]
    container: Any = _at(found.spec, above)
    if above == ["steps"] and isinstance(last, int):
        container[last] = _step(container[last], last)
        last = "id" if container[last]["id"] == _id(last) else ""
    elif last == "endpoint":
        container[last] = {} if container.get(last) == _SOMEWHERE else dict(_SOMEWHERE)
    elif last == "id" and error["type"] == "missing":
        container[last] = _id(above[-1] if above else 0)
    elif error["type"] == "missing" and above:
        del _at(found.spec, above[:-1])[above[-1]]
    elif last == "id" and len(above) == 2:
        container[last] = _id(above[-1])
    elif isinstance(container, list | dict) and error["type"] != "missing":
        container.pop(last)  # type: ignore[arg-type]
    if _WIRING & {last, *above[2:]}:
        found.untold = _OF_WIRING


def _existing(spec: Any, keys: tuple[int | str, ...]) -> list[int | str]:
    """As much of a path as there is in the document: the model's paths name alternatives too."""
    found: list[int | str] = []
    for key in keys:
        try:
            spec = spec[key]
        except (KeyError, IndexError, TypeError):
            break
        found.append(key)
    return found


def _at(spec: Any, keys: Sequence[int | str]) -> Any:
    for key in keys:
        spec = spec[key]
    return spec


def _step(broken: Any, number: int) -> dict[str, Any]:
    """A step with another endpoint; where that is not enough only its wiring, and then nothing of it."""
    nothing = {"id": _id(number), "endpoint": dict(_SOMEWHERE)}
    if not isinstance(broken, dict) or not isinstance(broken.get("id"), str):
        return nothing
    whole = {key: value for key, value in broken.items() if key != "stepRef"} | {"endpoint": dict(_SOMEWHERE)}
    wiring = {key: whole[key] for key in ("id", "requires", "fallback", "endpoint") if key in whole}
    return whole if whole != broken else wiring if wiring != broken else nothing


def _rename_doubles(found: Mended) -> None:
    seen: set[str] = set()
    for number, step in enumerate(found.spec["steps"]):
        if step["id"] in seen:
            step["id"] = _id(number)
        seen.add(step["id"])
    found.untold = _OF_WIRING


def _id(number: int | str) -> str:
    return f"unreadable-{number}"
