"""Entry point of `kubectl flow`: picks the command, and turns what stops it into one line and an exit code.

Everything is imported where it is needed: `lint` does not wait for the client of the API server, and Ctrl-C during
an import is still Ctrl-C.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence

CANNOT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more at its end, and must not fail there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _run(argv: Sequence[str]) -> int:
    from flow_operator.cli.arguments import parse_arguments
    from flow_operator.cli.errors import Cannot
    from flow_operator.cli.terminal import print_error

    arguments = parse_arguments(argv)
    try:
        match arguments.command:
            case "lint":
                return _lint(arguments)
            case "completion":
                return _completion(arguments)
            case _:
                return _on_cluster(arguments)
    except Cannot as error:
        print_error(f"error: {error}")
        return CANNOT


def _lint(arguments: Namespace) -> int:
    from flow_operator.cli.linting import lint

    return lint([*arguments.files, *arguments.more_files], arguments.output_format)


def _completion(arguments: Namespace) -> int:
    from flow_operator.cli.completing import script

    print(script(arguments.shell), end="")
    return 0


def _on_cluster(arguments: Namespace) -> int:
    from flow_operator.api.status import Direction
    from flow_operator.cli import commanding, describing, starting, watching
    from flow_operator.cli.arguments import verb_arguments
    from flow_operator.cli.cluster import Cluster, Object
    from flow_operator.cli.kubeconfig import Access

    cluster = Cluster(Access(arguments.namespace, arguments.context, arguments.kubeconfig))

    def follow(run: Object) -> int:
        return watching.watch(cluster, run["metadata"]["name"], run, arguments.timeout)

    match arguments.command:
        case "watch":
            return watching.watch(cluster, arguments.run, timeout=arguments.timeout)
        case "describe" if arguments.request is None:
            return describing.describe(cluster, arguments.run)
        case "describe":
            direction = Direction.UNDO if arguments.undo else Direction.DO
            which = arguments.run, arguments.request, direction
            return describing.describe_request(cluster, *which, arguments.service_url)
        case "run":
            message = starting.message(arguments.input, dict(arguments.header), raw=arguments.raw)
            run = arguments.workflow, arguments.name, message
            return starting.run(cluster, *run, follow if arguments.follow else None)
        case verb:
            given = arguments.run, verb, verb_arguments(arguments), arguments.wait
            return commanding.command(cluster, *given, follow if arguments.follow else None)


if __name__ == "__main__":
    sys.exit(main())
