"""Random workflows, and random things that happen to their runs."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from flow_operator.engine.messages.observation import Answered, Denied, NoAnswer, NotSent, Observation

ANSWERS: dict[str, Observation] = {
    "success": Answered(200, {}, b'{"id": 7}'),
    "empty": Answered(204, {}, b""),
    "refusal": Answered(422, {}, b"no"),
    "conflict": Answered(409, {}, b""),
    "trouble": Answered(503, {"retry-after": "3"}, b"busy"),
    "too many": Answered(429, {}, b""),
    "huge": Answered(200, {}, b"", too_large=True),
    "gone": Answered(410, {}, b""),
    "silence": NoAnswer("RequestTimeout", "no answer in time"),
    "nobody": NotSent("ConnectionRefused", "nobody listens there"),
    "denied": Denied("not allowed"),
}


@dataclass(frozen=True)
class Move:
    """Something that happens; `which` picks among what it can happen to."""

    kind: str
    which: int = 0
    what: str = ""


def _answers(words: list[str]) -> st.SearchStrategy[Move]:
    return st.builds(Move, st.just("answer"), st.integers(0, 5), st.sampled_from(words))


def _commands(words: list[str]) -> st.SearchStrategy[Move]:
    return st.builds(Move, st.just("command"), st.integers(0, 5), st.sampled_from(words))


LOOK = st.just(Move("look"))
WAIT = st.builds(Move, st.just("wait"), st.integers(-3, 40))
CRASH = st.just(Move("crash"))
SPEC = st.builds(Move, st.just("spec"), st.integers(0, 1))
ANY_ANSWER = _answers(list(ANSWERS))
MOSTLY_GOOD = _answers(["success", "success", "success", "refusal", "silence", "trouble"])
ORDERS = _commands(["suspend", "resume", "abort", "abort without", "retry", "retry with new key", "skip"])


def _life(*moves: st.SearchStrategy[Move]) -> st.SearchStrategy[list[Move]]:
    return st.lists(st.one_of(MOSTLY_GOOD, MOSTLY_GOOD, ANY_ANSWER, LOOK, WAIT, CRASH, *moves), min_size=5, max_size=40)


ANYTHING = _life(ORDERS, SPEC)
"""Answers of all kinds, crashes, commands, jumps of time."""
NOBODY_INTERFERES = _life()
"""The same without people."""


@st.composite
def workflows(draw: st.DrawFn, *, wild: bool = True) -> dict[str, Any]:
    """The spec of a Workflow; a `wild` one has conditions, timeouts and fallbacks."""
    steps: list[dict[str, Any]] = []
    for number in range(draw(st.integers(2, 7))):
        step = draw(_steps(f"s{number}", wild=wild))
        owners = [other for other in steps if "fallback" not in other]
        if wild and owners and draw(st.integers(0, 3)) == 0:
            draw(st.sampled_from(owners))["fallback"] = step["id"]
        else:
            fallbacks = {other.get("fallback") for other in steps}
            free = [other["id"] for other in steps if other["id"] not in fallbacks]
            step["requires"] = draw(st.lists(st.sampled_from(free), unique=True, max_size=3)) if free else []
            step["acceptSkipped"] = [each for each in step["requires"] if draw(st.booleans())]
        steps.append(step)
    spec: dict[str, Any] = {"steps": draw(st.permutations(steps))}
    if wild:
        spec["compensation"] = {"mode": draw(st.sampled_from(["Auto", "Auto", "Auto", "None"]))}
        if draw(st.integers(0, 4)) == 0:
            spec["timeout"] = {"run": "20s"}
    return spec


@st.composite
def _steps(draw: st.DrawFn, id: str, *, wild: bool) -> dict[str, Any]:
    step: dict[str, Any] = {
        "id": id,
        "endpoint": {"url": f"http://service/{id}"},
        "retry": {"limit": draw(st.integers(0, 2)), "backoff": {"jitter": 0}},
    }
    if draw(st.integers(0, 3)):
        step["compensate"] = {
            "endpoint": {"url": f"http://service/undo-{id}"},
            "retry": {"limit": draw(st.integers(0, 2)), "backoff": {"jitter": 0}},
        }
        if draw(st.booleans()):
            step["compensate"]["input"] = {
                "body": {
                    "error": "${{'step': error.?step.orValue('none'), 'why': error.?message.orValue('')}}",
                    "effect": "${steps.self.effect}",
                }
            }
    if wild:
        when = draw(st.sampled_from([None, None, None, None, "true", "false", "input.nothing"]))
        step |= {"when": when} if when else {}
        step |= {"timeout": {"total": "10s"}} if draw(st.integers(0, 4)) == 0 else {}
    return step


@st.composite
def layers(draw: st.DrawFn) -> list[list[str]]:
    """Ids by level, each level to require the whole level before it."""
    widths = draw(st.lists(st.integers(1, 3), min_size=1, max_size=10))
    return [[f"s{level}-{number}" for number in range(width)] for level, width in enumerate(widths)]
