"""Following a run goes on across whatever happens to the connection, and ends when there is nothing to follow."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from flow_operator.cli import following
from flow_operator.cli.cluster import Cluster
from flow_operator.cli.errors import Cannot, Expired, NotThere, Unreachable
from flow_operator.cli.following import follow


def run(version: int, uid: str = "a") -> dict[str, Any]:
    return {"metadata": {"name": "r", "uid": uid, "resourceVersion": str(version)}}


class Script:
    """A cluster that says what it is told to, one line for each question."""

    def __init__(self, *lines: Any) -> None:
        self.lines = list(lines)
        self.asked: list[str] = []

    def run(self, name: str) -> Any:
        self.asked.append(f"read {name}")
        return self._next()

    def changes(self, name: str, version: str, seconds: int) -> Iterator[Any]:
        self.asked.append(f"watch {name} from {version}")
        assert 0 < seconds <= 60
        events = self._next()
        for event in events:
            if isinstance(event, Exception):
                raise event
            yield event

    def _next(self) -> Any:
        line = self.lines.pop(0) if self.lines else NotThere("the script is over")
        if isinstance(line, Exception):
            raise line
        return line


def collect(script: Script, **options: Any) -> tuple[list[str], str]:
    """The versions that were seen, and what ended it."""
    versions: list[str] = []
    try:
        for each in follow(cast(Cluster, script), "r", **options):
            versions.append(each["metadata"]["resourceVersion"])  # noqa: PERF401 - kept when it raises
    except Cannot as error:
        return versions, str(error)
    return versions, "time is up"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_PAUSE", 0.0)


def test_a_watch_that_ends_in_its_own_time_goes_on_from_the_last_version() -> None:
    script = Script(run(1), [run(2), run(3)], [], [run(4), NotThere("the run r was deleted")])
    assert collect(script) == (["1", "2", "3", "4"], "the run r was deleted")
    assert script.asked == ["read r", "watch r from 1", "watch r from 3", "watch r from 3"]


def test_a_version_that_is_too_old_is_read_again() -> None:
    script = Script(run(1), [Expired()], run(9), [run(10)])
    assert collect(script) == (["1", "9", "10"], "the script is over")
    assert script.asked[1:4] == ["watch r from 1", "read r", "watch r from 9"]


def test_what_did_not_change_meanwhile_is_not_told_twice() -> None:
    assert collect(Script(run(1), [Expired()], run(1), [run(2)]))[0] == ["1", "2"]


def test_it_starts_from_a_version_that_is_at_hand() -> None:
    script = Script([run(8)])
    assert collect(script, start=run(7))[0] == ["7", "8"]
    assert script.asked[0] == "watch r from 7"


def test_a_connection_that_breaks_is_told_and_taken_up_again() -> None:
    told: list[str] = []
    script = Script(run(1), [run(2), Unreachable("broken")], Unreachable("still"), run(3), [run(4)])
    assert collect(script, trouble=told.append)[0] == ["1", "2", "3", "4"]
    assert told == ["broken", "still", ""]


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PATIENCE", -1.0)
    assert collect(Script(run(1), [Unreachable("broken")], Unreachable("gone"))) == (["1"], "gone")


def test_the_first_look_must_succeed() -> None:
    assert collect(Script(Unreachable("nobody there"))) == ([], "nobody there")


@pytest.mark.parametrize("lines", [([run(2, "b")],), ([Expired()], run(2, "b"))])
def test_another_run_of_the_same_name_is_another_run(lines: tuple[Any, ...]) -> None:
    said = "the run r was deleted, and another of that name was created"
    assert collect(Script(run(1), *lines)) == (["1"], said)


def test_time_is_up() -> None:
    assert collect(Script(run(1)), within=0.0) == (["1"], "time is up")
