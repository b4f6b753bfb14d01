"""The table of verbs: from where each is possible. Everywhere else it is rejected."""

from tests.engine.explorer.moves import Move
from tests.engine.explorer.reading import Facts, going_forward, is_undone, suspended, to_be_undone, waiting
from tests.engine.explorer.states import State

from flow_operator.api.status import ExecutionStatus, Phase

UNDOING = ("Pending", "Running", "Suspend")


def possible(facts: Facts, state: State, move: Move) -> bool:
    """The column "from" of the table. A command finds what was answered, though nobody has looked at it yet."""
    status, args = state.status, move.args
    if status.completion_time is not None:
        return False
    match move.step:
        case "suspend":
            return suspended(status) != "SuspendedByCommand"
        case "resume":
            return suspended(status) == "SuspendedByCommand" and not state.held
        case "abort":
            return _can_be_aborted(facts, status, args.get("compensate", facts.policy.mode == "Auto"))
        case "skip":
            return args["step"] in _parked(status)
    return set(args.get("steps", ())) <= set(_parked(status)) and bool(_parked(status))


def _can_be_aborted(facts: Facts, status: ExecutionStatus, compensate: bool) -> bool:
    """Any that has not ended; once it is being undone, only to give that up, as long as there is something left."""
    if status.start_time is None or going_forward(status):
        return True
    assert status.compensation is not None
    left = any(to_be_undone(facts, step) and not is_undone(step) for step in status.steps)
    begun = status.compensation.start_time is not None
    return not compensate and status.compensation.phase in UNDOING and (left or not begun)


def _parked(status: ExecutionStatus) -> list[str]:
    """Steps that wait for a person, and those whose undo has failed: the next look parks it."""
    failed = [
        step.id
        for step in status.steps
        if (undo := step.compensation) is not None
        and undo.phase is Phase.FAILURE
        and undo.reason != "CompensationGivenUp"
    ]
    return [*waiting(status), *failed]
