"""Fill the tables of docs/reliability.md from the tests, or prove them current:
`python -m tests.reliability [--check]`.

A test that does something bad to Flow says so by a marker, in words for a person:

    @pytest.mark.fault("what goes wrong", "what happens")    one row; as `marks=` of a `pytest.param` too
    @pytest.mark.fault(TABLE)                                a row for each item of a dict of the module, annotated, at
                                                             its top level: the key, and the last item of the value

The source is read, nothing is run. The name of a generated block of the document is the paths of its test files, with
blanks between them.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from flow_operator.api.generated import blocks, filled, write_or_check
from flow_operator.api.phrases import table

PATH = "docs/reliability.md"

Row = tuple[str, str, str]


def faults(repository: Path, path: str) -> list[Row]:
    """What goes wrong, what happens, and a link to the test, of each fault of a test file, in its order."""
    module = ast.parse((repository / path).read_text(encoding="utf-8"))
    return [
        (what, happens, f"[{test.name}](../{path})")
        for test in ast.walk(module)
        if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef)
        for decorator in test.decorator_list
        for mark in ast.walk(decorator)
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault"
        for what, happens in _said(mark, module, path)
    ]


def _said(mark: ast.Call, module: ast.Module, path: str) -> Iterator[tuple[str, str]]:
    match mark.args:
        case [ast.Name(id=name)]:
            yield from _rows(name, module, path)
        case [what, happens]:
            yield _text(what, path), _text(happens, path)
        case _:
            raise ValueError(f"{path}:{mark.lineno}: a fault has two texts, or the name of a table")


def _rows(name: str, module: ast.Module, path: str) -> Iterator[tuple[str, str]]:
    for statement in module.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=found), value=ast.Dict(keys, values)) if found == name:
                for key, value in zip(keys, values, strict=True):
                    last = value.elts[-1] if isinstance(value, ast.Tuple) else value
                    yield _text(key, path), _text(last, path)
                return
    raise ValueError(f"{path}: there is no table {name}: a dict with an annotation, at the top of the module")


def _text(node: ast.expr | None, path: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError(f"{path}:{node.lineno if node else 0}: what is said of a fault is a plain text")


def document(repository: Path, text: str) -> str:
    """The document with its tables made anew. A file with faults that no block names, or one without, is an error."""
    tests = {str(path.relative_to(repository)): path for path in sorted((repository / "tests").rglob("test_*.py"))}
    found = {path: rows for path in tests if (rows := faults(repository, path))}
    named = Counter(path for block in blocks(text) for path in block.split())
    for path in sorted(found.keys() | named.keys()):
        if named[path] != 1 or path not in found:
            raise ValueError(f"{path}: {len(found.get(path, ()))} faults, named by {named[path]} blocks of {PATH}")

    def content(block: str) -> str:
        heading = ("What goes wrong", "What happens", "Test")
        return table(heading, [row for path in block.split() for row in found[path]])

    return filled(text, content)


def files(repository: Path) -> dict[str, str]:
    """Path in the repository → content, of the one file that is generated here."""
    return {PATH: document(repository, (repository / PATH).read_text(encoding="utf-8"))}


if __name__ == "__main__":
    sys.exit(write_or_check("tests.reliability", files, sys.argv[1:]))
