"""docs/reference.md: its links lead somewhere, its examples are right, and no block is forgotten."""

import re

import pytest
import yaml
from tests.api.test_objects import read

from flow_operator.api.generated import REPOSITORY
from flow_operator.api.kinds import KINDS
from flow_operator.api.reasons import Reason
from flow_operator.api.reference import PATH, filled

TEXT = (REPOSITORY / PATH).read_text(encoding="utf-8")


def test_every_link_leads_to_a_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = [re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert set(re.findall(r"\]\(#(.+?)\)", TEXT)) <= set(anchors)
    assert len(anchors) == len(set(anchors))


def test_the_examples_are_accepted() -> None:
    examples = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.+?)```", TEXT, re.DOTALL)]
    assert [example["kind"] for example in examples] == [kind.name for kind in KINDS]
    for example in examples:
        assert read(example, strict=True)


def test_every_reason_is_there() -> None:
    assert set(Reason) <= set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))


def test_every_reason_is_given_by_something() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in (REPOSITORY / "operator").rglob("*.py"))
    assert set(Reason) == {Reason[name] for name in re.findall(r"\bReason\.([A-Z_]+)\b", code)}


def test_a_block_that_is_missing_is_an_error() -> None:
    with pytest.raises(ValueError, match="must have each of these blocks once"):
        filled(TEXT.replace("<!-- generated: reasons -->", ""))
