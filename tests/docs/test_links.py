"""Links between pages lead somewhere: the file is there, and so is the section."""

import re
from pathlib import Path

import pytest
from tests.docs.pages import Page, pages, read

PAGES = pages()


def anchors(page: Page) -> set[str]:
    """The sections of a page, as GitHub spells them in a link."""
    headings = re.findall(r"^#+ (.*)$", page.prose, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Page) -> list[str]:
    """Links of a page that lead nowhere."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"(`+).+?\1", "", page.prose)):
        path, _, section = target.partition("#")
        file = (page.path.parent / path).resolve() if path else page.path
        if re.match(r"[a-z]+:", target) is None and not (
            file.exists() and (not section or section in anchors(read(file)))
        ):
            found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_links_lead_somewhere(page: Page) -> None:
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# A B\n[x](#a-b) [y](#c) [z](b.md) [web](https://example.org/)\n")
    assert broken(read(page)) == ["#c", "b.md"]
