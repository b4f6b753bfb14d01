"""Files in the repository that are made from the source: write them, or prove that they are current."""

import argparse
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import unified_diff
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
DIFF_LINES = 40

_BLOCK = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def blocks(text: str) -> list[str]:
    """The names of the generated blocks of a document: `<!-- generated: NAME -->` … `<!-- end -->`."""
    return [name for _, name, _ in _BLOCK.findall(text)]


def filled(text: str, content: Callable[[str], str]) -> str:
    """A document with every generated block made anew from its name; the prose around them is written by hand."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{content(block[2])}\n\n{block[3]}", text)


def write_or_check(module: str, generate: Callable[[Path], Mapping[str, str]], arguments: Sequence[str]) -> int:
    """The command line of a generator of files: path in the repository → content, given where the repository is.

    Returns the exit code: 1 if `--check` found a file that is not current.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description="Write what is made from the source.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not current")
    parser.add_argument("--root", type=Path, default=REPOSITORY, help="the repository (default: the one of this file)")
    options = parser.parse_args(arguments)
    files = generate(options.root)
    stale = {path: text for path, text in files.items() if _read(options.root / path) != text}
    if not options.check:
        for path, text in stale.items():
            (options.root / path).parent.mkdir(parents=True, exist_ok=True)
            (options.root / path).write_text(text, encoding="utf-8")
            print(f"wrote {path}")
        return 0
    for path, text in stale.items():
        print("\n".join(_difference(path, _read(options.root / path), text)))
    if stale:
        print(f"not current: {', '.join(stale)}; write with: python -m {module}")
    return 1 if stale else 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _difference(path: str, present: str, wanted: str) -> Iterator[str]:
    """The first lines of the difference: enough to see what it is."""
    lines = list(
        unified_diff(present.splitlines(), wanted.splitlines(), f"{path} (present)", f"{path} (wanted)", "", "", 1, "")
    )
    yield from lines[:DIFF_LINES]
    if len(lines) > DIFF_LINES:
        yield f"… and {len(lines) - DIFF_LINES} more lines"
