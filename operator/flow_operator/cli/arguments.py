"""What can be typed after `kubectl flow`, and what it means."""

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any

from flow_operator import __version__
from flow_operator.api.duration import seconds
from flow_operator.engine.expressions.json_text import NotJSON, Value, parse
from flow_operator.settings.model import SETTINGS, variable

_RUN_KINDS = ("fwx", "workflowexecution", "workflowexecutions", "workflowexecution.flow.unistack.org")
_EPILOG = (
    "exit codes: 0 success; 1 the run failed, the command was rejected, or lint found something; "
    "2 it could not be done; 3 the run needs a person (not on a terminal, where it is followed on)"
)
RUN_COMMANDS = frozenset({"watch", "describe", "suspend", "resume", "abort", "retry", "skip"})
"""Those whose first word is the name of a run."""
_WAIT_SECONDS = 30.0


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments; ends the process, as argparse does, for --help and for what cannot be understood."""
    parser = _parser()
    arguments, rest = parser.parse_known_args(list(argv))
    # argparse takes no more steps once an option has come between them.
    more_steps = [word for word in rest if not word.startswith("-")] if arguments.command == "retry" else []
    if len(more_steps) != len(rest):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if more_steps:
        arguments.steps += more_steps
    if arguments.command == "describe" and arguments.undo and arguments.request is None:
        parser.error("--undo is about the request of a step: name the step with --request")
    if arguments.command == "lint" and not (arguments.files or arguments.more_files):
        parser.error("the following arguments are required: FILE")
    if getattr(arguments, "follow", False) and getattr(arguments, "wait", 0.0) is None:
        parser.error("--follow waits for the answer: leave --no-wait out")
    return arguments


def option_names(command: str | None, *, commands: bool = False) -> list[str]:
    """The options of a command (None: of all), or with `commands` the commands, for completion."""
    parsers = _subparsers()
    if commands:
        return list(parsers)
    parser = parsers.get(command or "", _parser())
    return [name for action in parser._actions for name in action.option_strings if name.startswith("--")]


def options_with_values(command: str | None) -> frozenset[str]:
    """The options of a command after which a value stands."""
    parser = _subparsers().get(command or "", _parser())
    return frozenset(name for action in parser._actions if action.nargs != 0 for name in action.option_strings)


def _subparsers() -> dict[str, argparse.ArgumentParser]:
    action = next(each for each in _parser()._actions if isinstance(each, argparse._SubParsersAction))
    return dict(action.choices)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kubectl flow",
        description="Start, watch and steer sagas.",
        epilog=_EPILOG,
        parents=[_cluster_options(None)],
    )
    parser.add_argument("--version", action="version", version=f"kubectl-flow {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, help: str, *, on_run: bool = True) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=help, description=help, epilog=_EPILOG, parents=[_cluster_options(argparse.SUPPRESS)]
        )
        if on_run:
            made.add_argument("run", metavar="RUN", type=_run_name, help="name of the WorkflowExecution")
        return made

    _add_reading(command)
    _add_verbs(command)
    _add_completion(command)
    return parser


def _cluster_options(default: object) -> argparse.ArgumentParser:
    """Options that kubectl has too; they may stand before and after the command."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("-n", "--namespace", default=default, help="default: that of the context")
    options.add_argument("--context", default=default, help="context of the kubeconfig; default: the current one")
    options.add_argument("--kubeconfig", default=default, help="default: KUBECONFIG, else ~/.kube/config")
    return options


Command = Callable[..., argparse.ArgumentParser]


def _add_reading(command: Command) -> None:
    watch = command("watch", "Follow a run until it has ended: a live tree, or in a pipe a line for each change.")
    _add_timeout(watch)

    describe = command("describe", "Show a run: its steps, what is wrong, and what you can do.")
    describe.add_argument(
        "--request", metavar="STEP", help="print the request of this step, as it was or would be sent"
    )
    describe.add_argument("--undo", action="store_true", help="with --request: the request that undoes the step")
    service_url = variable("service_url")
    describe.add_argument(
        "--service-url",
        metavar="URL",
        default=os.environ.get(service_url) or SETTINGS["service_url"].default,
        help=f"with --request: what the operator makes of service and method, if it was given another {service_url}",
    )

    run = command("run", "Create a run of a workflow and follow it.", on_run=False)
    run.add_argument("workflow", metavar="WORKFLOW", help="name of the Workflow")
    run.add_argument("-f", "--input", metavar="FILE", help="body of the input, JSON or YAML; - reads standard input")
    run.add_argument(
        "--header", metavar="NAME=VALUE", action="append", type=_header, default=[], help="can be repeated"
    )
    run.add_argument("--name", help="name of the run; default: the workflow's with a random end")
    run.add_argument("--raw", action="store_true", help="store the body as text (rawBody) in any case")
    _add_timeout(run)
    run.add_argument("--no-follow", dest="follow", action="store_false", help="print the name of the run, and end")

    lint = command("lint", "Find all that is wrong with Workflows and Steps, without a cluster.", on_run=False)
    lint.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        default=[],
        help="YAML of any number of documents, a folder that is searched for it, or - for standard input",
    )
    lint.add_argument(
        "-f",
        "--filename",
        dest="more_files",
        action="append",
        default=[],
        metavar="FILE",
        help="the same, as kubectl has it; can be repeated",
    )
    lint.add_argument(
        "-o", "--output", dest="output_format", choices=("text", "json", "github"), default="text", help="default: text"
    )


def _add_completion(command: Command) -> None:
    completion = command("completion", "Print the completion of a shell, to be read at its start.", on_run=False)
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="for example: source <(kubectl flow …)")


def _add_timeout(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--timeout", metavar="DURATION", type=_duration, help="follow no longer than this (30s, 5m, 1h): exit code 2"
    )


def _add_verbs(command: Command) -> None:
    def verb(name: str, help: str) -> argparse.ArgumentParser:
        made = command(name, help)
        made.add_argument("--wait", type=float, metavar="SECONDS", default=_WAIT_SECONDS, help="default: %(default)g")
        made.add_argument("--no-wait", dest="wait", action="store_const", const=None, help="do not wait for the answer")
        made.add_argument("--follow", action="store_true", help="once it is accepted, follow the run to its end")
        _add_timeout(made)
        return made

    verb("suspend", "Freeze a run: nothing new is called until it is resumed.")
    verb("resume", "Let a suspended run go on.")

    abort = verb("abort", "End a run now; by default what was done is undone, if the workflow says so.")
    abort.add_argument("--compensate", action=argparse.BooleanOptionalAction, help="whether to undo what was done")
    abort.add_argument("--reason", default="", help="for those who read it later")

    retry = verb("retry", "Try again what waits for a person.")
    retry.add_argument("steps", metavar="STEP", nargs="*", help="default: all that wait")
    retry.add_argument(
        "--new-key", action="store_true", help="with a new idempotency key: the service will not do it twice"
    )

    skip = verb("skip", "You did it by hand: the step counts as done, or as undone.")
    skip.add_argument("step", metavar="STEP")
    skip.add_argument("--reason", required=True, help="who did it, or why")
    skip.add_argument("--output", metavar="JSON", type=_json, default=None, help="what the step passes on")


def verb_arguments(arguments: argparse.Namespace) -> dict[str, Value]:
    """What goes into the annotation command-args; what was not given is left out."""
    given: dict[str, Any] = {
        "compensate": getattr(arguments, "compensate", None),
        "reason": getattr(arguments, "reason", None) or None,
        "steps": getattr(arguments, "steps", None) or None,
        "newKey": getattr(arguments, "new_key", None) or None,
        "step": getattr(arguments, "step", None),
        "output": getattr(arguments, "output", None),
    }
    return {name: value for name, value in given.items() if value is not None}


def _run_name(text: str) -> str:
    """`NAME`, or as kubectl prints it: `fwx/NAME`."""
    kind, slash, name = text.rpartition("/")
    if slash and kind not in _RUN_KINDS:
        raise argparse.ArgumentTypeError(f"{kind} is not a kind of run: write the name alone")
    return name


def _duration(text: str) -> float:
    """`5m`, or a number of seconds."""
    try:
        return float(text) if text.isdecimal() else seconds(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration: write for example 30s, 5m or 1h") from None


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _json(text: str) -> Value:
    try:
        return parse(text)
    except NotJSON:
        example = """42, '"text"' or '{"id": 7}'"""
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: write for example {example}") from None
