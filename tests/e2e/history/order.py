"""Rules about what comes after what, and about what is undone."""

from collections.abc import Iterator

from examples.order.demo.checks import Graph
from examples.order.services import Did
from tests.e2e.history.trail import Document, Run, Write, named, time_of

UNDONE_CODES = (404, 410)


def parents_first(run: Run) -> Iterator[str]:
    """A step begins only when what it requires is stored as done, a fallback only when its owner is undone."""
    owners = {step["fallback"]: step for step in run.steps if "fallback" in step}
    for step in run.steps:
        first = run.first_attempt(step["id"], "do")
        if first is None:
            continue
        for parent in step.get("requires", ()):
            if not _is_done(first, parent):
                yield f"{step['id']} began when {parent} was {first.step(parent).get('phase')}"
        owner = owners.get(step["id"])
        if owner and not _made_way(first, owner):
            yield f"{step['id']} began when {owner['id']}, for which it stands in, had not failed or was not undone"
    yield from _called_in_order(run)


def children_undone_first(run: Run) -> Iterator[str]:
    """An undo begins only when every step that required this one, and is to be undone, is stored as undone."""
    graph = Graph(run.steps)
    for step in run.steps:
        first = run.first_attempt(step["id"], "undo")
        if first is None:
            continue
        for later in run.to_be_undone(first):
            if step["id"] in graph.ancestors(later) and not first.is_undone(later):
                yield f"the undo of {step['id']} began when {later}, which required it, was not undone"
    yield from _undone_in_order(run)


def still_before_undo(run: Run) -> Iterator[str]:
    """While a run is undone, none of its steps is in flight."""
    for write in run.writes:
        if write.compensation in ("Running", "Success", "Failure"):
            for step in write.status.get("steps", ()):
                if "attemptId" in step:
                    yield f"{step['id']} was in flight when the compensation was {write.compensation}"


def undone_exactly(run: Run) -> Iterator[str]:
    """Each step with an undo that may have had an effect is undone, by the status and by the journals; no other is."""
    for step in run.steps:
        first = run.first_attempt(step["id"], "undo")
        if first and step["id"] not in run.to_be_undone(first):
            yield f"{step['id']} was undone, and it had no effect or has no undo"
    last = run.writes[-1] if run.writes else None
    if last is None or not last.has_ended:
        return
    if last.compensation == "Success":
        yield from _left_over(run, last)
    if last.compensation == "NotNeeded":
        made_way = {step["id"] for step in run.steps if "fallback" in step}
        for step in last.status.get("steps", ()):
            if "compensation" in step and step["id"] not in made_way:
                yield f"{step['id']} has an undo, and the run says that none was needed"


def undone_once(run: Run) -> Iterator[str]:
    """When a write has stored that an undo succeeded, that undo is called no more, and stays stored."""
    for step in run.steps:
        done = next((write for write in run.writes if write.is_undone(step["id"])), None)
        if done is None:
            continue
        for call in run.calls_of(step["id"], "undo"):
            if time_of(call) > done.time:
                yield f"{named(call)} was sent at {call.time}, when the undo had succeeded already"
        if not all(write.is_undone(step["id"]) for write in run.writes if write.version > done.version):
            yield f"the undo of {step['id']} succeeded, and a later write says otherwise"


def _is_done(write: Write, step: str) -> bool:
    told = write.step(step)
    if told.get("phase") == "Failure" and "fallback" in told:
        return _is_done(write, told["fallback"])
    return told.get("phase") in ("Success", "Skipped")


def _made_way(write: Write, owner: Document) -> bool:
    """Whether a fallback may begin: its owner has failed and, if it may have had an effect, is undone."""
    harmless = "compensate" not in owner or write.effect(owner["id"]) == "None"
    return write.step(owner["id"]).get("phase") == "Failure" and (harmless or write.is_undone(owner["id"]))


def _left_over(run: Run, last: Write) -> Iterator[str]:
    """What a run that says it is undone has left at the services."""
    undone = {call.undoes for call in run.calls}
    for id in run.to_be_undone(last):
        if last.call(id, "undo").get("reason") == "SkippedByCommand":
            continue
        if not any(run.calls_of(id, "do")):
            continue  # a service that keeps no journal
        answers = [call.code for call in run.calls_of(id, "undo")]
        if not any(code is not None and (code < 300 or code in UNDONE_CODES) for code in answers):
            yield f"{id} may have had an effect, and no service has confirmed its undo"
        for call in run.calls_of(id, "do"):
            if call.did is Did.APPLIED and call.key not in undone:
                yield f"{named(call)} had its effect, and nothing undid it at the service"


def _called_in_order(run: Run) -> Iterator[str]:
    """By the journals alone: every call of a step comes before any of a step that waits for it."""
    graph = Graph(run.steps)
    for step in run.steps:
        first = next(run.calls_of(step["id"], "do"), None)
        for earlier in graph.ancestors(step["id"]) if first else ():
            for call in run.calls_of(earlier, "do"):
                if first and call.time > first.time:
                    yield f"{named(call)} came after {named(first)}, which waits for it"


def _undone_in_order(run: Run) -> Iterator[str]:
    """The same for undos, where it is the other way round; an owner makes way for its fallback, and comes early."""
    graph = Graph(run.steps)
    made_way = {step["id"] for step in run.steps if "fallback" in step}
    for step in run.steps:
        for earlier in graph.ancestors(step["id"]) - made_way:
            first = next(run.calls_of(earlier, "undo"), None)
            for call in run.calls_of(step["id"], "undo"):
                if first and call.time > first.time:
                    yield f"{named(call)} came after {named(first)}, which waits for it"
