"""docs/reliability.md: what the tests say of themselves is what stands there."""

from pathlib import Path

import pytest
from tests.reliability import PATH, document, faults

from flow_operator.api.generated import REPOSITORY

PLAIN = """
@pytest.mark.fault("the cat sleeps on the keyboard", "the run waits | the cat wakes up")
async def test_cat() -> None: ...
"""
PARAMETERS = """
@pytest.mark.parametrize("pet", [
    pytest.param("cat", marks=pytest.mark.fault("a cat", "it purrs")),
    pytest.param("stone"),
    pytest.param("dog", marks=[pytest.mark.fault("a dog", "it barks")]),
])
def test_pets(pet: str) -> None: ...
"""
TABLE = """
PETS: dict[str, object] = {"a cat": (Cat(), "it purrs"), "a dog": "it barks"}

@pytest.mark.fault(PETS)
@pytest.mark.parametrize("pet", PETS.values(), ids=PETS)
def test_pets(pet: object) -> None: ...
"""
TWO_PETS = [
    (what, does, "[test_pets](../tests/test_it.py)") for what, does in (("a cat", "it purrs"), ("a dog", "it barks"))
]
FORMS = {
    "plain": (
        PLAIN,
        [("the cat sleeps on the keyboard", "the run waits | the cat wakes up", "[test_cat](../tests/test_it.py)")],
    ),
    "parameters": (PARAMETERS, TWO_PETS),
    "a table": (TABLE, TWO_PETS),
    "no fault": ("def test_well() -> None: ...", []),
}

WRONG = {
    "one text": ('@pytest.mark.fault("a cat")\ndef test_it(): ...', "two texts"),
    "a text that is computed": ('@pytest.mark.fault("a" + CAT, "it purrs")\ndef test_it(): ...', "plain text"),
    "a table that is not there": ("@pytest.mark.fault(CATS)\ndef test_it(): ...", "no table CATS"),
    "a table of numbers": ("CATS: object = {1: 2}\n@pytest.mark.fault(CATS)\ndef test_it(): ...", "plain text"),
}


def written(repository: Path, source: str) -> Path:
    (repository / "tests").mkdir()
    (repository / "tests" / "test_it.py").write_text(source)
    return repository


@pytest.mark.parametrize(("source", "rows"), FORMS.values(), ids=FORMS)
def test_the_forms_of_the_marker(tmp_path: Path, source: str, rows: list[tuple[str, str, str]]) -> None:
    assert faults(written(tmp_path, source), "tests/test_it.py") == rows


@pytest.mark.parametrize(("source", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_an_error(tmp_path: Path, source: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"tests/test_it\.py.*{said}"):
        faults(written(tmp_path, source), "tests/test_it.py")


def test_the_tables_are_made_anew_and_the_prose_stays(tmp_path: Path) -> None:
    text = "# By hand\n<!-- generated: tests/test_it.py -->\nstale\n<!-- end -->\nand after"
    rows = "| a cat | it purrs | [test_pets](../tests/test_it.py) |\n| a dog |"
    found = document(written(tmp_path, TABLE), text)
    assert found.startswith("# By hand\n")
    assert rows in found
    assert "stale" not in found
    assert found.endswith("and after")


def test_a_file_that_no_table_or_two_tables_name_is_an_error(tmp_path: Path) -> None:
    block = "<!-- generated: tests/test_it.py -->\n<!-- end -->\n"
    for text in ("", block * 2):
        with pytest.raises(ValueError, match=r"tests/test_it\.py: 2 faults"):
            document(tmp_path if text else written(tmp_path, TABLE), text)


def test_a_file_without_faults_has_no_table(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"tests/test_it\.py: 0 faults, named by 1 blocks"):
        document(written(tmp_path, ""), "<!-- generated: tests/test_it.py -->\n<!-- end -->\n")


def test_it_is_current() -> None:
    text = (REPOSITORY / PATH).read_text(encoding="utf-8")
    assert document(REPOSITORY, text) == text
