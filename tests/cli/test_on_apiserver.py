"""`kubectl flow` on a real API server, with the test in the place of the operator."""

import json
import os
import re
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.operator import Operator
from tests.cli.person import Person
from tests.controlplane import Cluster, ControlPlane, KubectlError, eventually
from tests.controlplane.binaries import find_kubectl

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

DECLINED = "answer reserve 200\nanswer fraud 200\nanswer charge 402"


@pytest.fixture
def person(cluster: Cluster, namespace: str) -> Person:
    return Person(cluster.kubeconfig, namespace)


@pytest.fixture
def operator(cluster: Cluster, namespace: str) -> Operator:
    return Operator(cluster, namespace)


def lines_of(text: str) -> list[str]:
    """Lines without their time."""
    return [re.sub(r"^\S+ \S+Z ", "", line) for line in text.splitlines()]


def answers(cluster: Cluster) -> bool:
    """Whether the API server is ready."""
    try:
        return cluster.kubectl("get", "--raw", "/readyz") == "ok"
    except KubectlError:
        return False


class TestWatch:
    def test_in_a_pipe_each_change_is_a_line(self, person: Person, operator: Operator) -> None:
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
        assert lines[:3] == ["run: Running (Running)", "reserve: Running, attempt 1", "fraud: Running, attempt 1"]
        assert "charge: Success, effect Applied, attempts 1" in lines
        assert lines[-1].startswith("✓ order-1 ended in Success · at 2026-01-01 ")

    @pytest.mark.parametrize(("directives", "phase"), [(DECLINED, "Failure"), ("command abort", "Aborted")])
    def test_a_run_without_success_ends_with_1(
        self, person: Person, operator: Operator, directives: str, phase: str
    ) -> None:
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

    def test_when_a_person_is_needed_it_says_what_they_can_do(
        self, person: Person, operator: Operator, namespace: str
    ) -> None:
        operator.tell(f"start\n{DECLINED}\nanswer undo reserve 403")
        watching = person.begin("watch", "order-1")
        assert watching.stdout is not None
        line = ""
        while "what you can do" not in line:
            line = watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=60)
        assert watching.returncode == 130
        assert f"kubectl flow retry order-1 reserve -n {namespace}  # try undoing reserve again" in line

    def test_on_a_terminal_it_draws_the_tree_until_the_end(self, person: Person, operator: Operator) -> None:
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

    def test_ctrl_c_ends_it_at_once_and_leaves_the_terminal_in_order(self, person: Person, operator: Operator) -> None:
        operator.tell("start")
        terminal = person.at_terminal("watch", "order-1")
        terminal.read_until("is running")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 130
        assert "Traceback" not in terminal.shown
        assert terminal.shown.rindex("\x1b[?25h") > terminal.shown.rindex("\x1b[?25l"), "the cursor is shown again"

    def test_a_run_that_is_deleted_cannot_be_watched_on(
        self, person: Person, operator: Operator, cluster: Cluster
    ) -> None:
        watching = person.begin("watch", "order-1")
        assert watching.stdout is not None
        watching.stdout.readline()
        cluster.kubectl("delete", "fwx", "order-1", "-n", operator.namespace)
        _, errors = watching.communicate(timeout=60)
        assert (watching.returncode, errors) == (2, "error: the run order-1 was deleted\n")

    def test_a_reader_that_goes_away_is_no_error(self, person: Person, operator: Operator) -> None:
        watching = person.begin("watch", "order-1")
        assert watching.stdout is not None
        watching.stdout.readline()
        watching.stdout.close()
        operator.tell("start")
        assert watching.wait(60) == 141
        assert watching.stderr is not None
        assert watching.stderr.read() == ""
        watching.stderr.close()

    def test_it_outlives_the_api_server(self, person: Person, operator: Operator, control_plane: ControlPlane) -> None:
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

    def test_a_terminal_that_cannot_redraw_gets_lines(self, person: Person, operator: Operator) -> None:
        operator.tell("start\nanswer reserve 422\nanswer fraud 422")
        person.environment["TERM"] = "dumb"
        terminal = person.at_terminal("watch", "order-1")
        assert terminal.end() == 1
        assert "\x1b" not in terminal.shown
        assert "run: Failure" in terminal.shown

    def test_no_color(self, person: Person, operator: Operator) -> None:
        operator.tell("start\nanswer reserve 422\nanswer fraud 422")
        colour = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
        terminal = person.at_terminal("describe", "order-1")
        terminal.end()
        assert colour.search(terminal.shown)
        person.environment["NO_COLOR"] = "1"
        terminal = person.at_terminal("describe", "order-1")
        terminal.end()
        assert not colour.search(terminal.shown)


class TestDescribe:
    def test_it_prints_the_picture_unwrapped(self, person: Person, operator: Operator, namespace: str) -> None:
        operator.tell(f"start\n{DECLINED}\nanswer undo reserve 403")
        said = person.flow("describe", "fwx/order-1")
        assert (said.code, said.err) == (0, "")
        lines = said.out.splitlines()
        assert lines[0].startswith("! order-1 waits for a person: the undo of reserve · since 2026-01-01 00:00:00Z (")
        assert f"  kubectl flow skip order-1 reserve -n {namespace} --reason" in lines
        assert said.out.replace("\n", "").isprintable()

    def test_a_revision_that_is_gone_costs_only_the_levels(
        self, person: Person, operator: Operator, cluster: Cluster, namespace: str
    ) -> None:
        operator.tell("start")
        cluster.kubectl("delete", "controllerrevision", "--all", "-n", namespace)
        said = person.flow("describe", "order-1")
        assert said.code == 0
        assert "\n └─  ○ mail     Pending\n" in said.out

    def test_the_request_of_a_step_is_rendered_as_it_was_sent(self, person: Person, operator: Operator) -> None:
        operator.tell('start\nanswer reserve 200 {"id": 0.10}\nanswer fraud 200')
        said = person.flow("describe", "order-1", "--request", "charge")
        attempt = operator.story.world.in_flight.popitem()[1]
        head, body = said.out.split("\n\n", 1)
        assert head.splitlines()[0] == "POST http://payments/charge"
        header = dict(line.split(": ", 1) for line in head.splitlines()[1:])
        sent = dict(attempt.request.header)
        assert header.pop("x-flow-execution") == f"{operator.namespace}/order-1"
        assert sent.pop("x-flow-execution") == "shop/order-1"
        assert header == sent
        assert body == f"{attempt.request.body.decode()}\n"
        assert body == '{"fraud":null,"reserve":{"id":0.10}}\n'
        assert said.err.startswith("# as it was sent: sha256:")

    def test_the_request_of_an_undo_not_sent_yet(self, person: Person, operator: Operator) -> None:
        operator.tell('start\nanswer reserve 200 {"id": 7}')
        said = person.flow("describe", "order-1", "--request", "reserve", "--undo")
        uid = operator.read()["metadata"]["uid"]
        assert said.out.startswith("POST http://stock/release\n")
        assert f"idempotency-key: {uid}/reserve/undo/0\n" in said.out
        assert '"response":{"body":{"id":7},"code":200,"header":{}}' in said.out
        assert said.err == "# not sent; this is what it would be now\n"

    def test_a_request_that_may_still_change_says_so(self, person: Person, operator: Operator) -> None:
        operator.tell("start")
        said = person.flow("describe", "order-1", "--request", "charge")
        assert said.err == "# not sent; this is what it would be now, before reserve, fraud ended\n"

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            (("--request", "nobody"), "order-1 has no step nobody: it has reserve, fraud, charge, wrap, ship"),
            (("--request", "fraud", "--undo"), "fraud has no undo"),
        ],
    )
    def test_what_has_no_request(self, person: Person, operator: Operator, words: tuple[str], error: str) -> None:
        operator.tell("start")
        said = person.flow("describe", "order-1", *words)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith(f"error: {error}")

    def test_a_run_that_has_not_started_has_none(self, person: Person, operator: Operator) -> None:
        assert "status" in operator.read()
        said = person.flow("describe", "order-1", "--request", "reserve")
        assert (said.code, said.err) == (2, "error: order-1 has not started, so it is not pinned to a definition yet\n")


class TestRun:
    @pytest.fixture
    def made(self, cluster: Cluster, namespace: str) -> Iterator[Any]:
        return lambda name: json.loads(cluster.kubectl("get", "fwx", name.strip(), "-n", namespace, "-o", "json"))

    def test_it_prints_the_name_that_the_api_server_gave(self, person: Person, made: Any) -> None:
        said = person.flow("run", "order", "--no-follow")
        assert said.code == 0
        assert re.fullmatch(r"order-[a-z0-9]{5}\n", said.out)
        assert made(said.out)["spec"] == {"suspend": False, "workflowRef": {"name": "order"}}

    @pytest.mark.parametrize(
        ("text", "options", "stored"),
        [
            ('{"amount": 42}', (), {"body": {"amount": 42}}),
            ("amount: 42\nitems: [a, b]\n", (), {"body": {"amount": 42, "items": ["a", "b"]}}),
            ('{"amount": 0.10}', (), {"rawBody": '{"amount":0.10}'}),
            ("amount: 1e400\n", (), {"rawBody": '{"amount":1e400}'}),
            ('{"amount": 42}\n', ("--raw",), {"rawBody": '{"amount": 42}'}),
            ("null", (), {"rawBody": "null"}),
            (
                "7",
                ("--header", "x-tenant=acme", "--header", "a=b=c"),
                {"body": 7, "header": {"x-tenant": "acme", "a": "b=c"}},
            ),
        ],
    )
    def test_the_input_is_stored_exactly(
        self, person: Person, made: Any, text: str, options: tuple[str, ...], stored: object
    ) -> None:
        said = person.flow("run", "order", "--input", "-", "--no-follow", *options, stdin=text)
        assert (said.code, said.err) == (0, "")
        assert made(said.out)["spec"]["input"] == stored

    def test_a_file_and_a_name(self, person: Person, made: Any, tmp_path: Path) -> None:
        file = tmp_path / "input.yaml"
        file.write_text("orderId: 7\n")
        said = person.flow("run", "order", "--input", str(file), "--name", "order-7", "--no-follow")
        assert (said.code, said.out) == (0, "order-7\n")
        assert made("order-7")["spec"]["input"] == {"body": {"orderId": 7}}
        again = person.flow("run", "order", "--name", "order-7", "--no-follow")
        assert again.code == 2
        assert (
            again.err
            == 'error: the API server says no: workflowexecutions.flow.unistack.org "order-7" already exists\n'
        )

    @pytest.mark.parametrize(
        ("text", "options", "error"),
        [
            ("a: [1", (), "-: line 1: "),
            ("a: 1\na: 2\n", (), "-: line 2: the key 'a' is there twice, first in line 1"),
            ("", (), "-: it must hold one value, not 0"),
            ("--- 1\n--- 2\n", (), "-: it must hold one value, not 2"),
            ('"' + "x" * 131072 + '"', (), "-: the input of a run has at most 128 KiB"),
            ("1", ("--header", "host=a"), "--header: the header host is set by Flow itself"),
            (
                "1",
                ("--name", "Order"),
                'the API server says no: WorkflowExecution.flow.unistack.org "Order" is invalid',
            ),
        ],
    )
    def test_what_cannot_be_run(self, person: Person, text: str, options: tuple[str, ...], error: str) -> None:
        said = person.flow("run", "order", "--input", "-", "--no-follow", *options, stdin=text)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith(f"error: {error}")
        assert said.err.count("\n") == 1

    def test_it_follows_the_run_to_its_end(self, person: Person, cluster: Cluster, namespace: str) -> None:
        running = person.begin("run", "order", "--name", "order-9")
        assert running.stdout is not None
        assert running.stdout.readline() == "order-9\n"
        operator = Operator(cluster, namespace, "order-9", create=False)
        operator.tell("start\nanswer reserve 422\nanswer fraud 422")
        rest, _ = running.communicate(timeout=60)
        assert running.returncode == 1
        assert "✗ order-9 ended in Failure; nothing was to be undone" in rest.splitlines()[-1]


class TestVerbs:
    def test_accepted(self, person: Person, operator: Operator) -> None:
        operator.tell("start")
        suspending = person.begin("suspend", "order-1")
        command = operator.obey()
        out, _ = suspending.communicate(timeout=60)
        assert (suspending.returncode, out) == (0, "Accepted: suspended: nothing new is called\n")
        assert (command.verb, command.args, command.by) == ("suspend", {}, "kubectl-flow")
        assert re.fullmatch(r"[0-9a-f]{16}", command.id)

    def test_rejected(self, person: Person, operator: Operator) -> None:
        operator.tell("start")
        skipping = person.begin("skip", "order-1", "charge", "--reason", "by hand", "--output", '{"a": 1}')
        command = operator.obey()
        out, _ = skipping.communicate(timeout=60)
        assert (skipping.returncode, out) == (1, "Rejected: charge is not suspended or parked\n")
        assert command.args == {"step": "charge", "reason": "by hand", "output": {"a": 1}}

    def test_without_waiting_the_annotations_are_all_there_is(self, person: Person, operator: Operator) -> None:
        said = person.flow("abort", "order-1", "--no-compensate", "--reason", "why", "--no-wait")
        annotations = operator.read()["metadata"]["annotations"]
        id = annotations.pop("flow.unistack.org/command-id")
        assert annotations == {
            "flow.unistack.org/command": "abort",
            "flow.unistack.org/command-args": '{"compensate":false,"reason":"why"}',
        }
        assert (said.code, said.out) == (0, f"abort: given to order-1, as command {id}\n")

    def test_without_an_operator_it_says_what_may_be_wrong(self, person: Person, operator: Operator) -> None:
        said = person.flow("resume", "order-1", "--wait", "1")
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("error: no answer within 1s: is the operator running?")
        take_back = said.err.split("Take it back with: kubectl ")[1].split()
        operator.cluster.kubectl(*take_back)
        assert "annotations" not in operator.read()["metadata"]

    def test_a_command_that_another_one_replaced_does_not_wait(self, person: Person, operator: Operator) -> None:
        suspending = person.begin("suspend", "order-1")
        eventually(lambda: operator.read()["metadata"].get("annotations"), within=30, what="the first command")
        person.flow("abort", "order-1", "--no-wait")
        _, errors = suspending.communicate(timeout=60)
        assert suspending.returncode == 2
        assert errors == "error: another command (abort) took the place of suspend before the operator had read it\n"


class TestTheWayToTheCluster:
    def test_the_namespace_is_that_of_the_context(self, cluster: Cluster, operator: Operator, tmp_path: Path) -> None:
        kubeconfig = tmp_path / "config"
        kubeconfig.write_text(cluster.kubeconfig.read_text())
        flow = ("config", "set-context", "--current", "--namespace", operator.namespace)
        cluster.kubectl(*flow, kubeconfig=kubeconfig)
        assert Person(kubeconfig).flow("describe", "order-1").code == 0
        assert Person(kubeconfig, "default").flow("describe", "order-1").code == 2
        elsewhere = Person(tmp_path / "none")
        said = elsewhere.flow("describe", "order-1", "--kubeconfig", str(kubeconfig), "--context", "nowhere")
        assert said.code == 2
        assert "nowhere" in said.err

    def test_kubectl_finds_the_plugin(self, operator: Operator, person: Person) -> None:
        scripts = [str(find_kubectl().parent), sysconfig.get_path("scripts"), os.environ["PATH"]]
        done = subprocess.run(
            ["kubectl", "flow", "describe", "order-1", "-n", operator.namespace],
            env=person.environment | {"PATH": os.pathsep.join(scripts)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith("○ order-1 waits to be started")

    @pytest.mark.parametrize("command", ["watch", "describe", "suspend"])
    def test_a_run_that_is_not_there(self, person: Person, namespace: str, command: str) -> None:
        said = person.flow(command, "nobody")
        assert (said.code, said.out) == (2, "")
        assert said.err == f"error: no run named nobody in namespace {namespace}\n"

    def test_no_kubeconfig(self, tmp_path: Path) -> None:
        said = Person(tmp_path / "none").flow("watch", "order-1")
        assert said.code == 2
        assert (
            said.err == f"error: there is no kubeconfig ({tmp_path}/none): name one with --kubeconfig or KUBECONFIG\n"
        )

    @pytest.mark.parametrize("text", ["{", "a: 1", "contexts: []\ncurrent-context: a\nclusters: []\nusers: []\n"])
    def test_a_broken_kubeconfig(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "config").write_text(text)
        said = Person(tmp_path / "config").flow("watch", "order-1")
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith(f"error: kubeconfig {tmp_path}/config: ")
        assert said.err.count("\n") == 1

    def test_nobody_listens(self, cluster: Cluster, tmp_path: Path) -> None:
        kubeconfig = tmp_path / "config"
        kubeconfig.write_text(re.sub(r"server: .*", "server: https://127.0.0.1:1", cluster.kubeconfig.read_text()))
        said = Person(kubeconfig).flow("watch", "order-1")
        assert said.code == 2
        assert said.err.startswith("error: the API server at https://127.0.0.1:1 cannot be reached: ")
        assert "Connection refused" in said.err
        assert said.err.count("\n") == 1

    def test_who_may_not_is_told_so(self, cluster: Cluster, operator: Operator) -> None:
        cluster.kubectl("create", "serviceaccount", "guest", "-n", operator.namespace)
        guest = cluster.kubeconfig_for(cluster.service_account_token(operator.namespace, "guest"))
        said = Person(guest, operator.namespace).flow("describe", "order-1")
        assert said.code == 2
        assert said.err.startswith(
            'error: the API server says no: workflowexecutions.flow.unistack.org "order-1" is forbid'
        )

    def test_a_cluster_without_the_crds(self) -> None:
        with ControlPlane(crds=None) as bare:
            said = Person(bare.kubeconfig).flow("describe", "order-1")
        assert said.code == 2
        assert said.err.endswith(" does not know WorkflowExecutions: install the CRDs first\n")

    def test_who_is_not_known_is_told_so(self, cluster: Cluster, operator: Operator) -> None:
        stranger = cluster.kubeconfig_for("made-up")
        said = Person(stranger, operator.namespace).flow("describe", "order-1")
        assert said.code == 2
        assert "does not accept your credentials" in said.err
