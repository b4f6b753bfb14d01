"""The sagas that are played: a workflow, how services answer, and what a person does when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from tests.e2e.kube import Object
from tests.e2e.proxy import Fault, Passing, refuse, wait_for
from tests.e2e.sagas import Sagas, workflow

Workflow = Callable[[Sagas, str], Object]
Answer = Callable[[int, Callable[[], bool]], Fault | None]
"""What becomes of a call, by the number of its attempt, and whether the person has released it."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a person does, once, as soon as the run is so: give a command, or release what was waiting."""

    when: Callable[[Object], bool]
    verb: str = ""
    """Empty: release."""


@dataclass(frozen=True, slots=True)
class Story:
    """A saga as it is played."""

    workflow: Workflow
    ends: tuple[str, str]
    """The phases of the run and of its compensation in the end."""
    declining: str = ""
    """The method that says no."""
    answers: Mapping[tuple[str, str], Answer] = field(default_factory=dict)
    """What is in the way of calls, by step and operation."""
    acts: Sequence[Act] = ()
    may_be_lost: str = ""
    """The step whose effect is rightly Unknown after a crash, and which is undone then: it was declined or aborted."""

    def answer(self, passing: Passing, released: Callable[[], bool]) -> Fault | None:
        """What is in the way of a call."""
        header = passing.header
        found = self.answers.get((header["X-Flow-Step"], header["X-Flow-Operation"]))
        return found and found(int(header["X-Flow-Attempt"]), released)


def _levels(sagas: Sagas, name: str) -> Object:
    return workflow(
        name,
        sagas.step("a", "Stock.Reserve"),
        sagas.step("b", "Payments.Charge", "a"),
        sagas.step("c", "Gifts.Wrap", "a"),
        sagas.step("d", "Courier.Ship", "b", "c"),
    )


def _chain(sagas: Sagas, name: str) -> Object:
    return sagas.chain(name, "Stock.Reserve", "Payments.Charge", "Courier.Ship")


def _with_fallback(sagas: Sagas, name: str) -> Object:
    return workflow(
        name,
        sagas.step("a", "Stock.Reserve"),
        sagas.step("b", "Courier.Ship", "a", fallback="f"),
        sagas.step("f", "Post.Send"),
        sagas.step("c", "Mail.Send", "b"),
    )


def _waits(_: int, released: Callable[[], bool]) -> Fault | None:
    return wait_for(released)


def _fails_until_released(_: int, released: Callable[[], bool]) -> Fault | None:
    return None if released() else refuse(HTTPStatus.SERVICE_UNAVAILABLE)


def _fails_once(attempt: int, _: Callable[[], bool]) -> Fault | None:
    return refuse(HTTPStatus.SERVICE_UNAVAILABLE) if attempt == 1 else None


def _b_is_running(run: Object) -> bool:
    return any(step["id"] == "b" and step["phase"] == "Running" for step in run.get("status", {}).get("steps", ()))


def _answered(verb: str) -> Callable[[Object], bool]:
    """The command was answered, and taken off."""

    def answered(run: Object) -> bool:
        told = run.get("status", {}).get("lastCommand", {})
        return told.get("verb") == verb and not run["metadata"].get("annotations")

    return answered


def _is_parked(run: Object) -> bool:
    return bool(run.get("status", {}).get("phase") == "Suspend")


STORIES: Mapping[str, Story] = {
    "success over three levels": Story(_levels, ("Success", "NotNeeded")),
    "failure and undo": Story(_levels, ("Failure", "Success"), declining="Courier.Ship", may_be_lost="d"),
    "abort and undo": Story(
        _chain,
        ("Aborted", "Success"),
        answers={("b", "do"): _waits},
        acts=(Act(_b_is_running, "abort"), Act(_answered("abort"))),
        may_be_lost="b",
    ),
    "fallback": Story(_with_fallback, ("Success", "NotNeeded"), declining="Courier.Ship", may_be_lost="b"),
    "retry and success": Story(_chain, ("Success", "NotNeeded"), answers={("b", "do"): _fails_once}),
    "an undo that is parked, and tried again by a person": Story(
        _chain,
        ("Failure", "Success"),
        declining="Courier.Ship",
        answers={("b", "undo"): _fails_until_released},
        acts=(Act(_is_parked), Act(_is_parked, "retry")),
        may_be_lost="c",
    ),
    "suspended and resumed": Story(
        _chain,
        ("Success", "NotNeeded"),
        answers={("b", "do"): _waits},
        acts=(Act(_b_is_running, "suspend"), Act(_answered("suspend"), "resume"), Act(_answered("resume"))),
    ),
}
