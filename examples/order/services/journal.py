"""The journal of a service: one JSON line per call, on the disk before the answer is on the wire.

It is also the service's only storage: what was done under which key is read back from it at the start.
"""

import json
import os
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any


class Did(StrEnum):
    """What a call did at the service."""

    APPLIED = "applied"
    """It had its effect."""
    REPLAYED = "replayed"
    """Nothing: the key was known, and its answer was given again."""
    DECLINED = "declined"
    """Nothing: the service said no."""
    NOTHING = "nothing"
    """Nothing: there was nothing to undo, or what was to be done had been undone before."""
    FAILED = "failed"
    """Nothing: the service was not able to."""
    MISMATCH = "mismatch"
    """Nothing: the key was known, but with another body."""


class Sent(StrEnum):
    """What became of the answer."""

    AT_ONCE = "at once"
    LATE = "late"
    HELD = "held"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Entry:
    """One call that a service received."""

    time: str
    """When the call was received: UTC, to the microsecond."""
    service: str
    method: str
    key: str
    """Header Idempotency-Key."""
    execution: str
    """Header X-Flow-Execution: the namespace and name of the run."""
    step: str
    """Header X-Flow-Step."""
    operation: str
    """Header X-Flow-Operation: do or undo."""
    attempt: int
    """Header X-Flow-Attempt."""
    digest: str
    """sha256 of the body."""
    body: Any
    did: Did
    sent: Sent
    code: int | None
    """Code of the answer, whatever became of it; None when there was none to give."""
    answer: Any
    undoes: str | None = None
    """Key of the call that this one undid, or forbade."""
    traceparent: str = ""
    """Header traceparent: the span of this attempt, below which a service that traces puts its own."""


class JournalReader:
    """Reads a journal, and each time goes on where it stopped: it may be long, and asked for again and again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._entries: list[Entry] = []

    def entries(self) -> list[Entry]:
        """Every complete line, oldest first; none if there is no journal."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._offset)
                complete = file.read().rpartition(b"\n")[:2]
            self._offset += sum(map(len, complete))
            self._entries += map(_entry, b"".join(complete).splitlines())
        return list(self._entries)


def _entry(line: bytes) -> Entry:
    document = json.loads(line)
    return Entry(**{**document, "did": Did(document["did"]), "sent": Sent(document["sent"])})


class Journal:
    """A journal that is open for writing."""

    def __init__(self, path: Path) -> None:
        """Open `path` for appending; a line that a crash cut off is cut off for good."""
        complete = path.read_bytes().rpartition(b"\n")[:2] if path.exists() else ()
        self._file = path.open("ab")
        self._file.truncate(sum(map(len, complete)))

    def append(self, entry: Entry) -> None:
        """Write an entry; it is on the disk when this returns."""
        self._file.write(json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
