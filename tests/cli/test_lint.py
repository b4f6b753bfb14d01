"""`lint`, over files good and bad: lint/NAME.txt is all that it prints about lint/NAME.yaml.

`pytest --rewrite` writes what it prints now into the files.
"""

import io
import json
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
        (b"\xff\xfe\x00", "-:1:1: not UTF-8"),
        (b"a: 1\nb: \xe9\n", "-:2:4: not UTF-8"),
        (b"[" * 5000, "-:1:1: nested too deeply"),
        (b"a: &a [*a]", "-:1:4: not YAML: an alias that refers to what it stands in"),
        (b"- a\n- b\n", "-:1:1: not an object: apiVersion, kind, metadata and spec are missing"),
    ],
)
def test_what_cannot_be_read_is_a_finding(
    text: bytes, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(text, monkeypatch)
    assert main(["lint", "-"]) == 1
    assert capsys.readouterr().out.splitlines() == [said]


def test_a_file_that_cannot_be_opened_is_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "no-such-file.yaml"]) == 2
    assert capsys.readouterr().err == "error: no-such-file.yaml: no such file or directory\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b: c", "1:5: not YAML: a second `key:` on this line"),
        ("a:\n\t- b", "2:1: not YAML: a tab: YAML is indented with spaces"),
        ("a: @b", "1:4: not YAML: text cannot begin with this character"),
        ("a: 1\nb\nc: 2", "not YAML: a key without its colon"),
        ("a: {b: 1", "not YAML: a { is not closed"),
        ("a: [b, c", "not YAML: a [ is not closed"),
        ("a: 1\n  b: 2", "not YAML: a second `key:` on this line: quote the text, or check the indentation"),
        ("  a: 1\n b: 2", "not YAML: the indentation does not fit the lines above"),
        ("a: - b", "not YAML: a list cannot begin"),
        ("a: *b", "1:4: not YAML: an alias (*name) of an anchor (&name) that is not there"),
        ('a: "b', "not YAML: a quote is not closed"),
        ('a: "\\d"', "not YAML: an unknown escape"),
        ("a: !!python/object b", "1:4: the tag tag:yaml.org,2002:python/object has no meaning here"),
        ("a: .inf", "1:4: .inf is not a number that JSON can hold"),
        ("? [a]\n: b", "a key must be text"),
        ("%a: 1", "not YAML: a % at the beginning of a line"),
        ("a: \x01", "not allowed"),
    ],
)
def test_what_is_not_yaml_is_told_without_the_words_of_the_parser(
    text: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(text.encode(), monkeypatch)
    assert main(["lint", "-"]) == 1
    told = capsys.readouterr().out
    assert said in told
    for raw in ("while ", "block", "flow ", "token", "expected", "scalar"):
        assert raw not in told


def test_folders_are_searched_for_our_kinds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / "a" / "step.yaml").write_text(STEP)
    (tmp_path / "a" / "b" / "step.yml").write_text(STEP.replace("name: a", "name: B"))
    (tmp_path / "a" / "values.yaml").write_text("replicas: 1\n")
    (tmp_path / "a" / "template.yaml").write_text("{{ if }}")
    (tmp_path / ".git" / "step.yaml").write_text(STEP)
    monkeypatch.chdir(tmp_path)
    assert main(["lint", "a"]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "a/b/step.yml:3:12: Step/B metadata.name: InvalidField: 'B' is not a valid name: use a-z, 0-9, - and ."
    ]
    assert said.err == "2 Steps: 1 finding\n"


def test_files_may_be_named_as_kubectl_has_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text(STEP.replace("name: a", f"name: {name}"))
    assert main(["lint", "-f", f"{tmp_path}/a.yaml", f"{tmp_path}/b.yaml", "-f", f"{tmp_path}/c.yaml"]) == 0
    assert capsys.readouterr().err == "3 Steps: nothing is wrong\n"


def test_json_for_programs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(STEP.replace("url:", "ulr: a, url:").encode(), monkeypatch)
    assert main(["lint", "-", "-o", "json"]) == 1
    (told,) = json.loads(capsys.readouterr().out)
    message = told.pop("message")
    assert message.startswith("there is no such field")
    assert told == {
        "file": "-",
        "line": 4,
        "column": 19,
        "severity": "error",
        "object": "Step/a",
        "path": "spec.endpoint.ulr",
        "reason": "UnknownField",
    }


def test_annotations_for_github(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a,b.yaml").write_text(STEP.replace("name: a", "name: 100%"))
    monkeypatch.chdir(tmp_path)
    assert main(["lint", "a,b.yaml", "-o", "github"]) == 1
    assert capsys.readouterr().out == (
        "::error file=a%2Cb.yaml,line=3,col=12,title=InvalidField::Step/100%25 metadata.name: InvalidField: "
        "'100%25' is not a valid name: use a-z, 0-9, - and .\n"
    )


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
