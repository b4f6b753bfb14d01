"""Rules about how one write follows another: what a run may become, and what it may not."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.e2e.history.trail import NOTHING_YET, Document, Run, Write, named, time_of

OPERATIONS = ("do", "undo")
EFFECTS = ("None", "Unknown", "Applied")
FROZEN = ("SuspendedByCommand", "SuspendedBySpec")
FINAL = ("phase", "reason", "steps", "compensation", "completionTime", "output")


def nothing_forward(run: Run) -> Iterator[str]:
    """From the write on that records the failure or abort, no attempt to do anything is recorded."""
    for before, after in pairwise([NOTHING_YET, *run.writes]):
        if _is_over(after):
            for id in _begun(before, after, "do"):
                yield f"an attempt to do {id} was recorded when the run had failed or was aborted"


def frozen(run: Run) -> Iterator[str]:
    """A write that says the run is suspended as a whole records no attempt."""
    for before, after in pairwise([NOTHING_YET, *run.writes]):
        if _is_frozen(after):
            for operation in OPERATIONS:
                for id in _begun(before, after, operation):
                    yield f"an attempt to {operation} {id} was recorded although the run was suspended"


def counted(run: Run) -> Iterator[str]:
    """Attempts and effect of a call only grow, unless a person allowed a new key, with which both start anew."""
    for before, after in pairwise(run.writes):
        for step in before.status.get("steps", ()):
            for operation in OPERATIONS:
                (was, *old), (now, *new) = (_progress(write.call(step["id"], operation)) for write in (before, after))
                if now < was:
                    yield f"{operation} {step['id']}: the generation went back from {was} to {now}"
                if now == was and any(less < more for less, more in zip(new, old, strict=True)):
                    yield f"{operation} {step['id']}: attempts or effect went back from {old} to {new}"


def pinned(run: Run) -> Iterator[str]:
    """A run that has started has one revision, for good."""
    revisions = {write.status.get("revision") for write in run.writes if "startTime" in write.status}
    if len(revisions) > 1 or None in revisions:
        yield f"the run was pinned to {revisions}"


def final(run: Run) -> Iterator[str]:
    """After the write that ended the run nothing of what happened is changed, and nothing is called."""
    end = next((write for write in run.writes if write.has_ended), None)
    if end is None:
        return
    yield from (
        f"{field} was changed after the end"
        for write in _after(run.writes, end)
        for field in FINAL
        if write.status.get(field) != end.status.get(field)
    )
    for call in run.calls:
        if time_of(call) > end.time:
            yield f"{named(call)} was sent at {call.time}, after the end"


def _after(writes: Sequence[Write], write: Write) -> Iterator[Write]:
    return (each for each in writes if each.version > write.version)


def _begun(before: Write, after: Write, operation: str) -> Iterator[str]:
    """Steps of which the later write records an attempt that the earlier one does not know."""
    for step in after.status.get("steps", ()):
        attempt = after.call(step["id"], operation).get("attemptId")
        if attempt and attempt != before.call(step["id"], operation).get("attemptId"):
            yield step["id"]


def _is_over(write: Write) -> bool:
    """Whether the forward part has failed or was aborted."""
    trigger = write.status.get("compensation", {}).get("trigger")
    return write.status.get("phase") in ("Failure", "Aborted") or trigger in ("Failure", "Aborted")


def _is_frozen(write: Write) -> bool:
    return any(
        condition["type"] == "Suspended" and condition["status"] == "True" and condition["reason"] in FROZEN
        for condition in write.status.get("conditions", ())
    )


def _progress(told: Document) -> tuple[int, int, int]:
    """What can only grow: generation; attempts, effect."""
    return told.get("generation", 0), told.get("attempts", 0), EFFECTS.index(told.get("effect", "None"))
