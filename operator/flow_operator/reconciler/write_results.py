"""What a write that failed is counted as."""

from flow_operator.engine.errors import ClusterError, Conflict, Forbidden, Gone, Refused
from flow_operator.reconciler.ports import WriteResult


def write_result(error: ClusterError) -> WriteResult:
    """What became of a write that raised this."""
    if isinstance(error, Conflict | Gone):
        return "conflict"
    return "refused" if isinstance(error, Refused | Forbidden) else "unavailable"
