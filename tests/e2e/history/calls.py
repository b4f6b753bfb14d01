"""Rules about each call, and about calls that belong together."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from examples.order.services import Did, Entry
from tests.e2e.history.trail import Run, Write, named, time_of

UNFINISHED = (None, "Pending", "Running", "Suspend")


def recorded_first(run: Run) -> Iterator[str]:
    """No call without an earlier write that recorded it: step, direction, attempt number and key."""
    for call in run.calls:
        recorded = any(_records(write, call) for write in run.writes if write.time < time_of(call))
        if not recorded and not any(_may_hide(write, call) for write in run.writes):
            yield f"{named(call)} was sent, and no write before {call.time} recorded it"


def sent_once(run: Run) -> Iterator[str]:
    """Each attempt that a write recorded is sent once; a lost one is recorded anew before it is repeated."""
    sent = Counter((call.step, call.operation, call.attempt, call.key) for call in run.calls)
    hidden = sum(write.after_gap for write in run.writes)
    for (step, operation, number, key), count in sent.items():
        told = (write.call(step, operation) for write in run.writes)
        recorded = {
            each["attemptId"]
            for each in told
            if (each.get("attempts"), each.get("idempotencyKey")) == (number, key) and "attemptId" in each
        }
        if count > len(recorded) + hidden:
            yield f"{operation} {step} #{number} was sent {count} times, and recorded {len(recorded)} times"


def one_key(run: Run) -> Iterator[str]:
    """A key is made of uid, step, direction and generation, and another one needs another generation."""
    for call in run.calls:
        generation = call.key.removeprefix(f"{run.uid}/{call.step}/{call.operation}/")
        known = {str(write.call(call.step, call.operation).get("generation", 0)) for write in run.writes}
        if generation not in known:
            yield f"{named(call)} carried the key {call.key}, of no generation that was written"


def same_bytes(run: Run) -> Iterator[str]:
    """The same key always has the same body."""
    digests: dict[str, set[str]] = defaultdict(set)
    for call in run.calls:
        digests[call.key].add(call.digest)
    yield from (
        f"{len(found)} bodies were sent under the key {key}" for key, found in digests.items() if len(found) > 1
    )


def one_effect(run: Run) -> Iterator[str]:
    """A step, and its undo, had one effect at the services, unless a person allowed another by a new key."""
    effects = Counter((call.step, call.operation) for call in run.calls if call.did is Did.APPLIED)
    for (step, operation), count in effects.items():
        if count > 1 + run.highest_generation(step, operation):
            yield f"{operation} {step} had {count} effects"


def honest_effect(run: Run) -> Iterator[str]:
    """What a service did is not called None once the step has ended."""
    last = run.writes[-1] if run.writes else None
    for call in run.calls:
        told = last.call(call.step, call.operation) if last else {}
        denied = told.get("phase") not in UNFINISHED and told.get("effect", "None") == "None"
        if call.did is Did.APPLIED and denied and told.get("reason") != "SkippedByCommand":
            yield f"{named(call)} had its effect, and the status says None"


def _records(write: Write, call: Entry) -> bool:
    told = write.call(call.step, call.operation)
    found = (told.get("phase"), told.get("attempts"), told.get("idempotencyKey"))
    return found == ("Running", call.attempt, call.key) and "attemptId" in told


def _may_hide(write: Write, call: Entry) -> bool:
    """Whether a write that is missing in the log, just before this one, may have recorded the call."""
    told = write.call(call.step, call.operation)
    later = write.after_gap and write.time >= time_of(call)
    return later and told.get("attempts", 0) >= call.attempt and told.get("idempotencyKey") == call.key
