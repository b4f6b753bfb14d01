"""The models take and refuse what the API server takes and refuses (test_crds_on_apiserver.py asks the real one)."""

from typing import Any

import pytest
from pydantic import ValidationError
from tests.api.objects_table import Refused, accepted, refused, steps

from flow_operator.api.kinds import KINDS

SPECS = {kind.name: kind.spec for kind in KINDS}


def read(document: dict[str, Any], *, strict: bool = False) -> Any:
    model = SPECS[document["kind"]]
    return model.model_validate(document.get("spec"), extra="forbid" if strict else "ignore")


@pytest.mark.parametrize("document", accepted(), ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_accepted(document: dict[str, Any]) -> None:
    assert read(document, strict=True).document()


def test_two_hundred_steps_are_accepted() -> None:
    assert len(read(steps(200)).steps) == 200


@pytest.mark.parametrize("case", [one for one in refused() if one.seen_by == "models"], ids=lambda case: case.why)
def test_refused(case: Refused) -> None:
    with pytest.raises(ValidationError):
        read(case.object)


@pytest.mark.parametrize(
    "case", [one for one in refused() if one.seen_by == "strict models"], ids=lambda case: case.why
)
def test_unknown_fields_are_refused_by_strict_reading_and_else_ignored(case: Refused) -> None:
    assert read(case.object)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        read(case.object, strict=True)


@pytest.mark.parametrize(
    "case",
    [one for one in refused() if "must be given" in one.message or "cannot be" in one.message],
    ids=lambda c: c.why,
)
def test_a_rule_has_the_same_words_in_both(case: Refused) -> None:
    with pytest.raises(ValidationError, match=case.message):
        read(case.object)
