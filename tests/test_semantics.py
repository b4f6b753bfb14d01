"""What the code says of docs/semantics.md: every reference, such as (semantics: Retry and time), names a heading."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADINGS = re.findall(r"^#{2,3} (.+)$", (ROOT / "docs/semantics.md").read_text(encoding="utf-8"), re.MULTILINE)
REFERENCE = re.compile(r"[(]semantics: ([^)]+)[)]")
SECTION = re.compile(r"(?:contract|semantics)[^.\n]{0,3} ?[(,]? ?section [0-9]")
FILES = [*sorted(ROOT.glob("operator/**/*.py")), *sorted(ROOT.glob("tests/**/*.py")), *sorted(ROOT.glob("docs/*.md"))]


def unknown(reference: str) -> str:
    """What is left of a reference without headings, numbers of their items, and what stands between them."""
    for heading in sorted(HEADINGS, key=len, reverse=True):
        reference = reference.replace(heading, "")
    return reference.strip(" ,;0123456789")


def test_every_reference_to_the_semantics_names_a_heading_of_it() -> None:
    texts = {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in FILES}
    found = [(name, each) for name, text in texts.items() for each in REFERENCE.findall(text)]
    assert found
    assert [(name, each) for name, each in found if unknown(each)] == []
    assert [name for name, text in texts.items() if SECTION.search(text)] == [], "its sections have no numbers"
