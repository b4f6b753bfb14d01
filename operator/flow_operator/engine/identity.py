"""Names of calls: idempotency keys, attempt ids, spans. All are functions of what is stored, so replays are exact."""

from hashlib import sha256

from flow_operator.api.status import Direction, Trace


def idempotency_key(uid: str, step: str, direction: Direction, generation: int) -> str:
    """The key that every attempt of this call carries (draft-ietf-httpapi-idempotency-key-header; sent bare)."""
    return f"{uid}/{step}/{direction}/{generation}"


def attempt_id(nonce: str, key: str) -> str:
    """An id for one intention. `nonce` is random and new for each plan: it tells this process's own intentions."""
    return _hex(f"{nonce}/{key}", 16)


def trace(uid: str) -> Trace:
    """The trace of a run (W3C Trace Context, version 00, sampled). The uid is random, so the trace id is."""
    return Trace(traceparent=f"00-{_hex(uid, 32)}-{_hex('root/' + uid, 16)}-01")


def traceparent(of_run: Trace, attempt: str) -> str:
    """The span of one attempt within the run's trace."""
    version, trace_id, _, flags = of_run.traceparent.split("-")
    return f"{version}-{trace_id}-{_hex('span/' + attempt, 16)}-{flags}"


def chance(key: str, number: int) -> float:
    """A number in [-1, 1) for the jitter of a back-off: spread over runs, and the same after a restart."""
    return int(_hex(f"jitter/{key}/{number}", 8), 16) / 2**31 - 1


def _hex(text: str, digits: int) -> str:
    return sha256(text.encode()).hexdigest()[:digits]
