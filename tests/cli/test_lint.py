"""`lint`, over files good and bad: lint/NAME.txt is all that it prints about lint/NAME.yaml.

`pytest --rewrite` writes what it prints now into the files.
"""

import io
from itertools import pairwise
from pathlib import Path

import pytest
from tests.cli.golden import check

from flow_operator.cli.__main__ import main

FILES = sorted((Path(__file__).parent / "lint").glob("*.yaml"))
EXAMPLES = Path(__file__).parents[2] / "examples" / "order"
STEP = "apiVersion: flow.unistack.org/v1alpha1\nkind: Step\nmetadata: {name: a}\nspec: {endpoint: {url: 'http://a'}}\n"


def stdin(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_lint(
    path: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(path.parent)
    code = main(["lint", path.name])
    printed = capsys.readouterr()
    check(path.with_suffix(".txt"), f"{printed.out}{printed.err}exit code {code}\n", request)


def test_a_step_may_be_in_another_file(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(STEP.replace("name: a", "name: charge-card").encode(), monkeypatch)
    assert main(["lint", str(FILES[0].parent / "dangling.yaml"), "-"]) == 0
    assert capsys.readouterr().out == ""


def test_the_example_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    files = [*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("orders/*.yaml")]
    assert main(["lint", *map(str, files)]) == 0
    assert "nothing is wrong" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"\xff\xfe\x00", "-:1 line 1: not UTF-8"),
        (b"a: 1\nb: \xe9\n", "-:1 line 2: not UTF-8"),
        (b"[" * 5000, "-:1 line 1: nested too deeply"),
        (b"a: &a [*a]", "-:1 line 1: found unconstructable recursive node"),
        (b"- a\n- b\n", "-:1 not an object: apiVersion, kind, metadata and spec are missing"),
    ],
)
def test_what_cannot_be_read_is_a_finding(
    text: bytes, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(text, monkeypatch)
    assert main(["lint", "-"]) == 1
    assert capsys.readouterr().out.splitlines() == [said]


@pytest.mark.parametrize("file", ["no-such-file.yaml", "."])
def test_a_file_that_cannot_be_opened_is_no_finding(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", file]) == 2
    assert capsys.readouterr().err.startswith(f"error: {file}: ")


@pytest.mark.parametrize("text", [b"", b"---\n---\n", b"apiVersion: v1\nkind: Secret\n"])
def test_nothing_to_judge_is_not_a_good_sign(
    text: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(text, monkeypatch)
    assert main(["lint", "-"]) == 2
    assert capsys.readouterr().err == "error: no Workflow, Step or WorkflowExecution in -\n"


def test_a_bomb_of_aliases_is_refused_before_it_goes_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = "abcdefghijklm"
    bomb = "a: &a [x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise(names)
    )
    stdin(bomb.encode(), monkeypatch)
    assert main(["lint", "-"]) == 1
    assert "larger than any object" in capsys.readouterr().out
