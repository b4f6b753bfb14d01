"""How a method of a service behaves. A person or a test sets it: `PUT /control/<method>`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """What a method does with a call."""

    WORK = "work"
    """Apply the effect and answer."""
    DECLINE = "decline"
    """Say no, as a business would; no effect."""
    LATE = "late"
    """Apply the effect, and answer after `delay` seconds."""
    HOLD = "hold"
    """Apply the effect, and answer when the method is told another behaviour."""
    LOSE = "lose"
    """Apply the effect, and close the connection without an answer."""
    UNAVAILABLE = "unavailable"
    """Answer 503; no effect."""
    DISCONNECT = "disconnect"
    """Close the connection without an answer; no effect."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A mode, for the next `times` calls or, without `times`, until told otherwise."""

    mode: Mode = Mode.WORK
    times: int | None = None
    delay: float = 30.0

    @classmethod
    def from_json(cls, document: Any) -> "Behaviour":
        """Read `{"mode": "unavailable", "times": 2}`. Raises ValueError naming what is wrong."""
        if not isinstance(document, dict) or not document.keys() <= {"mode", "times", "delay"}:
            raise ValueError("a behaviour is an object of mode, times and delay")
        times, delay = document.get("times"), document.get("delay", 30.0)
        if times is not None and (not isinstance(times, int) or times < 1):
            raise ValueError("times is a number of calls, from 1")
        if not isinstance(delay, int | float) or delay < 0:
            raise ValueError("delay is a number of seconds")
        return cls(Mode(document.get("mode", Mode.WORK)), times, delay)

    def to_json(self) -> dict[str, Any]:
        """The document that `from_json` reads."""
        return {"mode": self.mode.value, "times": self.times, "delay": self.delay}

    def after_one_call(self) -> "Behaviour":
        """What holds for the call after this one."""
        if self.times is None:
            return self
        return Behaviour(self.mode, self.times - 1, self.delay) if self.times > 1 else Behaviour()
