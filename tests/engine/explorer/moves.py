"""What can happen to a run, each as the directive of a scenario, so that a walk can be told."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

from tests.engine import parser

from flow_operator.api.status import Direction
from flow_operator.engine.messages.observation import Observation

ANSWERS = ("answer 200", "answer 400", "answer 409", "huge 200", "noanswer", "unsent")
"""Success/Applied, Failure/None, Failure/None or Retry/Unknown, Failure/Applied, Retry/Unknown, Retry/None.

Every other row of the table of verdicts has one of these pairs.
"""
UNDO_ANSWERS = ("answer 200", "answer 400", "answer 409", "noanswer", "unsent")
FEW_ANSWERS = ("answer 200", "answer 400", "noanswer")
FEW_UNDO_ANSWERS = ("answer 200", "answer 400")


@dataclass(frozen=True, slots=True)
class Move:
    """Something that happens; `kind` is the word it begins with, or `look`, by which all else is noticed."""

    kind: str
    text: str
    step: str = ""
    direction: Direction = Direction.DO
    observation: Observation | None = None
    args: Mapping[str, Any] = field(default_factory=dict, compare=False)


LOOK = Move("look", "look")
CRASH = Move("crash", "crash")
HOLD, LET_GO = Move("spec", "spec suspend=true"), Move("spec", "spec suspend=false")


@cache
def answers(step: str, direction: Direction, phrases: Iterable[str]) -> tuple[Move, ...]:
    """What can come of an attempt of this call."""
    return tuple(_answer(step, direction, phrase) for phrase in phrases)


def _answer(step: str, direction: Direction, phrase: str) -> Move:
    word, _, rest = phrase.partition(" ")
    whom = f"undo {step}" if direction is Direction.UNDO else step
    return Move("answer", f"{word} {whom} {rest}".strip(), step, direction, parser.observation(word, rest))


def good(move: Move, hopeless: Set[str]) -> bool:
    """Whether this helps a run along: services answer 200, time passes, and a person lets it go on. What can never be
    undone by a call is `hopeless`: a person undoes it by hand."""
    if move.kind == "answer":
        return move.text.startswith("answer ") and move.text.endswith(" 200")
    if move.step == "skip":
        return move.args["step"] in hopeless
    return move.kind in ("look", "wait") or move is LET_GO or move.text in ("command resume", "command retry")


@cache
def wait(length: str) -> Move:
    """Time passes."""
    return Move("wait", f"wait {length}")


@cache
def command(verb: str, **args: Any) -> Move:
    """A person gives a command."""
    given = {name: [value] if name == "steps" else value for name, value in args.items()}
    said = f" {json.dumps(given)}" if given else ""
    return Move("command", f"command {verb}{said}", verb, args=given)


ORDERS = (
    command("suspend"),
    command("resume"),
    command("abort"),
    command("abort", compensate=False),
    command("abort", compensate=True),
    command("retry"),
    command("retry", newKey=True),
)
"""Every command that is about the whole run."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """Which moves a walk makes. What a smaller one leaves out is said in matrices.py."""

    answers: tuple[str, ...] = ANSWERS
    undo_answers: tuple[str, ...] = UNDO_ANSWERS
    people: bool = True
    """Commands, and changes of spec.suspend; without them a person only helps with what is parked: retry, skip."""
    impossible: bool = True
    """Also commands that the table of verbs does not allow here."""
    new_keys: bool = True
    """`retry {newKey: true}`"""
    held_by_spec: bool = True
    """Changes of spec.suspend."""
    together: int = 1
    """How many things can happen before the operator looks."""

    def commands(self, waiting: Sequence[str], others: Iterable[str]) -> Iterator[Move]:
        """Every command that a person can give; those about a step that does not wait for a person, for one of them."""
        if not self.people:
            yield from [command("retry")] if waiting else []
            yield from (command("skip", step=step, reason="by hand") for step in waiting)
            return
        yield from ORDERS if self.new_keys else ORDERS[:-1]
        for step in (*waiting, *islice(others, 1)):
            yield command("skip", step=step, reason="by hand")
            yield command("retry", steps=step)
