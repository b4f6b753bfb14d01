"""How many bytes an object has, measured before each write: the API server's refusal must never be the first sign."""

from flow_operator.api.indexed import Indexed
from flow_operator.api.status import ExecutionStatus, StatusModel, StepStatus
from flow_operator.engine.contract import Run
from flow_operator.engine.messages.limits import MESSAGE_CHARACTERS
from flow_operator.engine.state import Call, map_steps, replaced, steps_of, without_content


def size_of(run: Run, status: ExecutionStatus) -> int:
    """Bytes of the whole object with this status. Steps that did not change are not measured again."""
    size = run.outside_bytes + _bytes(status, {"steps"})
    return size + len(',"steps":[]') + len(status.steps) - 1 + bytes_of(steps_of(status)) if status.steps else size


def bytes_of(steps: Indexed[StepStatus]) -> int:
    """Bytes of these steps, what stands between them not counted."""
    return steps.size(_bytes)


def _bytes(part: StatusModel, without: set[str] | None = None) -> int:
    text = part.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True, exclude=without)
    return len(text.encode())


def slim(status: ExecutionStatus) -> ExecutionStatus:
    """A status without what its calls are sent: that can be rendered again from what else is stored."""

    def bare(call: Call) -> Call:
        request = call.request
        if request is None or (request.header is None and request.body is None and request.raw_body is None):
            return call
        return replaced(call, request=without_content(request))

    def both(step: StepStatus) -> StepStatus:
        slim = bare(step)
        undo = slim.compensation and bare(slim.compensation)
        return slim if undo is slim.compensation else slim.model_copy(update={"compensation": undo})

    return map_steps(status, both)


def brief(message: str, most: int = MESSAGE_CHARACTERS) -> str:
    """A message as it is stored: long enough for a person, and nobody can fill a status with it."""
    return message if len(message) <= most else f"{message[: most - 1]}…"
