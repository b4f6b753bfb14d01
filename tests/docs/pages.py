"""What the pages of the documentation name: `code` within sentences, blocks of commands, blocks of YAML."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`+([^`]+?)`+")
_LINE_END = re.compile(r" \\\n\s*")


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its path, its sentences, and its code blocks with their languages."""

    path: Path
    prose: str
    blocks: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return str(self.path.relative_to(ROOT))

    @property
    def spans(self) -> list[str]:
        """What stands in backticks within sentences."""
        return [" ".join(span.split()) for span in _SPAN.findall(self.prose)]

    @property
    def commands(self) -> Iterator[str]:
        """Each command that a reader may type: in a block, or in backticks."""
        for language, text in self.blocks:
            if language in ("console", "sh", "bash", "text", ""):
                yield from (line.strip().removeprefix("$ ") for line in _LINE_END.sub(" ", text).splitlines())
        yield from self.spans


def pages() -> list[Page]:
    """Every page, in the order of their names."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return [read(path) for path in sorted([*found, *(ROOT / "helm").rglob("NOTES.txt")])]


def read(path: Path) -> Page:
    """One page."""
    text = path.read_text()
    return Page(path, _FENCE.sub("", text), tuple((found[2], found[3]) for found in _FENCE.finditer(text)))
