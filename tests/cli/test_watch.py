"""`watch` on a real API server, with the test in the place of the operator."""

import re
import signal

import pytest
from tests.cli.operator import Operator
from tests.cli.person import Person
from tests.controlplane import Cluster, ControlPlane, KubectlError, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

DECLINED = "answer reserve 200\nanswer fraud 200\nanswer charge 402"


def lines_of(text: str) -> list[str]:
    """Lines without their time."""
    return [re.sub(r"^\S+ \S+Z ", "", line) for line in text.splitlines()]


def answers(cluster: Cluster) -> bool:
    """Whether the API server is ready."""
    try:
        return cluster.kubectl("get", "--raw", "/readyz") == "ok"
    except KubectlError:
        return False


def test_in_a_pipe_each_change_is_a_line(person: Person, operator: Operator) -> None:
    watching = person.begin("watch", "order-1")
    assert watching.stdout is not None
    assert lines_of(watching.stdout.readline()) == ["run: Pending"]
    operator.tell("start")
    operator.tell("answer reserve 200\nanswer fraud 200")
    operator.tell("answer charge 200\nanswer ship 200")
    operator.tell("answer mail 200")
    rest, errors = watching.communicate(timeout=60)
    assert watching.returncode == 0
    assert errors == ""
    assert rest.replace("\n", "").isprintable()
    lines = lines_of(rest)
    assert lines[:3] == ["reserve: Running, attempt 1", "fraud: Running, attempt 1", "run: Running (Running)"]
    assert "charge: Success, effect Applied, attempts 1" in lines
    assert lines[-1].startswith("✓ order-1 ended in Success · at 2026-01-01 ")


@pytest.mark.parametrize(("directives", "phase"), [(DECLINED, "Failure"), ("command abort", "Aborted")])
def test_a_run_without_success_ends_with_1(person: Person, operator: Operator, directives: str, phase: str) -> None:
    operator.tell("start")
    operator.tell(directives)
    watching = person.begin("watch", "order-1")
    assert watching.stdout is not None
    watching.stdout.readline()
    if phase == "Failure":
        operator.tell("answer undo reserve 200")
    else:
        operator.tell("answer reserve 422\nanswer fraud 422")
    rest, _ = watching.communicate(timeout=60)
    assert watching.returncode == 1
    assert f"ended in {phase}" in rest.splitlines()[-1]


def test_when_a_person_is_needed_it_says_what_they_can_do_and_ends_with_3(
    person: Person, operator: Operator, namespace: str
) -> None:
    operator.tell(f"start\n{DECLINED}\nanswer undo reserve 403")
    said = person.flow("watch", "order-1")
    assert said.code == 3
    ways = [line for line in lines_of(said.out) if line.startswith("a person is needed; what you can do: ")]
    assert f"kubectl flow retry order-1 reserve -n {namespace}  # try undoing reserve again" in ways[0]
    assert "! order-1 waits for a person: the undo of reserve" in said.out.splitlines()[-1]


def test_a_run_that_is_suspended_needs_a_person(person: Person, operator: Operator, namespace: str) -> None:
    operator.tell("start\ncommand suspend")
    said = person.flow("watch", "order-1")
    assert said.code == 3
    assert f"kubectl flow resume order-1 -n {namespace}  # go on" in said.out


def test_a_command_that_is_still_to_be_read_is_waited_for(person: Person, operator: Operator) -> None:
    operator.tell("start\ncommand suspend")
    person.flow("resume", "order-1", "--no-wait")
    watching = person.begin("watch", "order-1")
    assert watching.stdout is not None
    watching.stdout.readline()
    operator.obey()
    operator.tell("answer reserve 422\nanswer fraud 422")
    out, _ = watching.communicate(timeout=60)
    assert watching.returncode == 1
    assert "ended in Failure" in out.splitlines()[-1]


def test_on_a_terminal_it_stays_while_a_person_is_needed(person: Person, operator: Operator) -> None:
    operator.tell(f"start\n{DECLINED}\nanswer undo reserve 403")
    terminal = person.at_terminal("watch", "order-1")
    terminal.read_until("waits for a person")
    operator.tell('command skip {"step": "reserve", "reason": "by hand"}\nwait 1s')
    assert terminal.end() == 1


def test_time_is_up(person: Person, operator: Operator, namespace: str) -> None:
    operator.tell("start")
    said = person.flow("watch", "order-1", "--timeout", "1s")
    assert said.code == 2
    again = f"kubectl flow watch order-1 -n {namespace}"
    assert said.err == f"error: order-1 has not ended in 1s: it goes on; see it again with: {again}\n"


@pytest.mark.usefixtures("operator")
def test_without_an_operator_it_says_what_to_check(person: Person) -> None:
    watching = person.begin("watch", "order-1", "--timeout", "11s")
    out, _ = watching.communicate(timeout=60)
    hint = "the operator has not looked at this run yet; what to check: kubectl get pods -A -l app.kubernetes.io/name="
    assert any(line.startswith(hint) for line in lines_of(out))
    assert watching.returncode == 2


@pytest.mark.usefixtures("operator")
def test_ctrl_c_says_that_the_run_goes_on(person: Person, namespace: str) -> None:
    watching = person.begin("watch", "order-1")
    assert watching.stdout is not None
    watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    _, errors = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert errors == f"the run goes on; see it again with: kubectl flow watch order-1 -n {namespace}\n"


def test_on_a_terminal_it_draws_the_tree_until_the_end(person: Person, operator: Operator) -> None:
    terminal = person.at_terminal("watch", "order-1")
    terminal.read_until("waits to be started")
    operator.tell("start")
    terminal.read_until("is running: reserve, fraud")
    operator.tell("answer reserve 200\nanswer fraud 422")
    terminal.read_until("being undone")
    operator.tell("answer undo reserve 200")
    assert terminal.end() == 1
    assert "\x1b[" in terminal.shown
    last = terminal.plain[terminal.plain.rindex("✗ order-1 ended in Failure") :]
    assert re.search(r"1 ┬─  ✓ reserve +Success +Applied +1 +\S+ +✓ undone\n", last)
    assert re.search(r"2 ┬─  ○ charge +Pending\n", last), "the levels are those of the pinned definition"


def test_ctrl_c_ends_it_at_once_and_leaves_the_terminal_in_order(person: Person, operator: Operator) -> None:
    operator.tell("start")
    terminal = person.at_terminal("watch", "order-1")
    terminal.read_until("is running")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert "Traceback" not in terminal.shown
    assert terminal.shown.rindex("\x1b[?25h") > terminal.shown.rindex("\x1b[?25l"), "the cursor is shown again"


def test_a_run_that_is_deleted_cannot_be_watched_on(person: Person, operator: Operator, cluster: Cluster) -> None:
    watching = person.begin("watch", "order-1")
    assert watching.stdout is not None
    watching.stdout.readline()
    cluster.kubectl("delete", "fwx", "order-1", "-n", operator.namespace)
    _, errors = watching.communicate(timeout=60)
    assert (watching.returncode, errors) == (2, "error: the run order-1 was deleted\n")


def test_a_reader_that_goes_away_is_no_error(person: Person, operator: Operator) -> None:
    watching = person.begin("watch", "order-1")
    assert watching.stdout is not None
    watching.stdout.readline()
    watching.stdout.close()
    operator.tell("start")
    assert watching.wait(60) == 141
    assert watching.stderr is not None
    assert watching.stderr.read() == ""
    watching.stderr.close()


def test_it_outlives_the_api_server(person: Person, operator: Operator, control_plane: ControlPlane) -> None:
    operator.tell("start")
    terminal = person.at_terminal("watch", "order-1")
    terminal.read_until("is running")
    control_plane.apiserver.kill()
    terminal.read_until("cannot be reached: ")
    control_plane.apiserver.start()
    eventually(lambda: answers(control_plane), within=60, what="the API server is back")
    operator.tell("answer reserve 422\nanswer fraud 422")
    assert terminal.end() == 1
    assert "trying again" not in terminal.plain[terminal.plain.rindex("✗ order-1 ended in Failure") :]


def test_a_terminal_that_cannot_redraw_gets_lines(person: Person, operator: Operator) -> None:
    operator.tell("start\nanswer reserve 422\nanswer fraud 422")
    person.environment["TERM"] = "dumb"
    terminal = person.at_terminal("watch", "order-1")
    assert terminal.end() == 1
    assert "\x1b" not in terminal.shown
    assert "run: Failure" in terminal.shown


def test_no_color(person: Person, operator: Operator) -> None:
    operator.tell("start\nanswer reserve 422\nanswer fraud 422")
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    terminal = person.at_terminal("describe", "order-1")
    terminal.end()
    assert colour.search(terminal.shown)
    person.environment["NO_COLOR"] = "1"
    terminal = person.at_terminal("describe", "order-1")
    terminal.end()
    assert not colour.search(terminal.shown)
