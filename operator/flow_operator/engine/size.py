"""How many bytes an object has, measured before each write: the API server's refusal must never be the first sign."""

from flow_operator.api.status import ExecutionStatus
from flow_operator.engine.contract import Run


def size_of(run: Run, status: ExecutionStatus) -> int:
    """Bytes of the whole object with this status."""
    text = status.model_dump_json(by_alias=True, exclude_none=True, exclude_defaults=True)
    return run.outside_bytes + len(text.encode())
