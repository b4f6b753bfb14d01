"""What can be typed, and what it becomes."""

import pytest

from flow_operator.cli.arguments import parse_arguments, verb_arguments


@pytest.mark.parametrize(
    ("typed", "args"),
    [
        ("suspend r", {}),
        ("resume r", {}),
        ("abort r", {}),
        ("abort r --compensate", {"compensate": True}),
        ("abort r --no-compensate --reason why", {"compensate": False, "reason": "why"}),
        ("retry r", {}),
        ("retry r a b", {"steps": ["a", "b"]}),
        ("retry r a -n shop b --new-key", {"steps": ["a", "b"], "newKey": True}),
        ("retry r -n shop a", {"steps": ["a"]}),
        ("skip r a --reason why", {"step": "a", "reason": "why"}),
        ('skip r a --reason why --output {"a":[1]}', {"step": "a", "reason": "why", "output": {"a": [1]}}),
        ("skip r a --reason why --output 7", {"step": "a", "reason": "why", "output": 7}),
    ],
)
def test_verbs(typed: str, args: object) -> None:
    arguments = parse_arguments(typed.split())
    assert arguments.run == "r"
    assert arguments.wait == 30
    assert verb_arguments(arguments) == args


@pytest.mark.parametrize("typed", ["-n shop watch r", "watch -n shop r", "watch r -n shop", "watch r --namespace=shop"])
def test_the_namespace_may_stand_anywhere(typed: str) -> None:
    arguments = parse_arguments(typed.split())
    assert (arguments.run, arguments.namespace, arguments.context, arguments.kubeconfig) == ("r", "shop", None, None)


def test_the_later_of_two_counts() -> None:
    assert parse_arguments(["-n", "a", "watch", "r", "-n", "b"]).namespace == "b"


@pytest.mark.parametrize("prefix", ["fwx/", "workflowexecution/", "workflowexecution.flow.unistack.org/", ""])
def test_a_run_may_be_named_as_kubectl_prints_it(prefix: str) -> None:
    assert parse_arguments(["watch", f"{prefix}order-1"]).run == "order-1"


@pytest.mark.parametrize(("typed", "seconds"), [("90", 90), ("1m30s", 90), ("500ms", 0.5)])
def test_a_timeout_is_a_duration_or_seconds(typed: str, seconds: float) -> None:
    assert parse_arguments(["run", "w", "--timeout", typed]).timeout == seconds


def test_no_wait() -> None:
    assert parse_arguments(["suspend", "r", "--no-wait"]).wait is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "required: COMMAND"),
        ("watch", "required: RUN"),
        ("watch a b", "unrecognized arguments: b"),
        ("watch pod/a", "pod is not a kind of run"),
        ("retry r a --newkey", "unrecognized arguments: --newkey"),
        ("skip r a", "required: --reason"),
        ("skip r a --reason", "--reason: expected one argument"),
        ("skip r a --reason b --output {", "not JSON"),
        ("run w --header a", "'a' is not NAME=VALUE"),
        ("describe r --undo", "name the step with --request"),
        ("lint", "required: FILE"),
        ("run w --timeout soon", "'soon' is not a duration: write for example 30s, 5m or 1h"),
        ("abort r --no-wait --follow", "--follow waits for the answer"),
        ("dance r", "invalid choice: 'dance'"),
    ],
)
def test_what_is_not_understood_ends_with_2_and_says_so(
    typed: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments(typed.split())
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", ["watch", "describe", "run", "lint", "suspend", "resume", "abort", "retry", "skip"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments([command, "--help"])
    assert ended.value.code == 0
    assert "exit codes: 0" in capsys.readouterr().out
