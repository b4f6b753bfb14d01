"""How a scenario says what a service did: the words after the name of the step."""

import json
import re

from flow_operator.api.status import Direction
from flow_operator.engine.messages.observation import Answered, Denied, NoAnswer, NotSent, Observation

WORDS = ("answer", "huge", "big", "bytes", "noanswer", "unsent", "denied")


def addressed(rest: str) -> tuple[Direction, str, str]:
    """`[undo] STEP …`: the direction, the id and what follows."""
    words = rest.split(" ", 1)
    if words[0] == "undo":
        return Direction.UNDO, *addressed(words[1])[1:]
    return Direction.DO, words[0], words[1] if len(words) > 1 else ""


def observation(word: str, said: str) -> Observation:
    """What the operator saw of the call."""
    match word:
        case "noanswer":
            return NoAnswer(said or "RequestTimeout", "no answer in time")
        case "unsent":
            return NotSent(said or "ConnectionRefused", "nobody listens there")
        case "denied":
            return Denied("169.254.169.254 is link-local")
    code, _, rest = said.partition(" ")
    header: dict[str, str] = {}
    while given := re.match(r'([a-z-]+)=("[^"]*"|\S+)\s*', rest):
        header[given[1]] = given[2].strip('"')
        rest = rest[given.end() :]
    match word:
        case "big":
            body = json.dumps("x" * (int(rest) * 1024 - 2)).encode()
        case "bytes":
            body = bytes.fromhex(rest)
        case _:
            body = rest.encode()
    return Answered(int(code), header, body, too_large=word == "huge")
