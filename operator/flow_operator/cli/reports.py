"""What `lint` found, as text for people, as JSON for programs, as annotations for GitHub."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flow_operator.cli.words import clean
from flow_operator.engine.expressions.json_text import write


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding, or (a `note`) something that is no mistake by itself."""

    file: str
    line: int
    column: int
    message: str
    object: str = ""
    """`Step/charge-card`, where it is known."""
    path: str = ""
    reason: str = ""
    note: bool = False

    @property
    def said(self) -> str:
        """All but where it is."""
        reason = "note" if self.note else self.reason
        where = " ".join(part for part in (self.object, self.path) if part)
        return clean(": ".join(part for part in (where, reason, self.message) if part))


def as_text(problems: Iterable[Problem]) -> Iterable[str]:
    """A line each, as compilers print them."""
    return (f"{clean(each.file)}:{each.line}:{each.column}: {each.said}" for each in problems)


def as_json(problems: Iterable[Problem]) -> Iterable[str]:
    """One list."""
    return [
        write(
            [
                {
                    "file": each.file,
                    "line": each.line,
                    "column": each.column,
                    "severity": "note" if each.note else "error",
                    "object": each.object or None,
                    "path": each.path or None,
                    "reason": each.reason or None,
                    "message": each.message,
                }
                for each in problems
            ]
        )
    ]


def as_github(problems: Iterable[Problem]) -> Iterable[str]:
    """Workflow commands of GitHub Actions, which it shows beside the lines that they are about."""
    for each in problems:
        place = f"file={_property(each.file)},line={each.line},col={each.column}"
        title = f",title={_property(each.reason)}" if each.reason else ""
        yield f"::{'notice' if each.note else 'error'} {place}{title}::{_data(each.said)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Mapping[str, Callable[[Iterable[Problem]], Iterable[str]]] = MappingProxyType(
    {"text": as_text, "json": as_json, "github": as_github}
)
