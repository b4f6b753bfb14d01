"""Shell completion: what can come next, for commands, options, runs, steps and workflows.

kubectl asks an executable named `kubectl_complete-flow` what can follow, in the protocol of Cobra: a candidate a line,
then `:` and a directive. The scripts that `kubectl flow completion` prints ask the same for `kubectl-flow` itself.
"""

import sys
from collections.abc import Iterable, Sequence
from types import MappingProxyType

from flow_operator.api.kinds import WORKFLOW, WORKFLOW_EXECUTION, Kind
from flow_operator.cli.arguments import RUN_COMMANDS, option_names, options_with_values
from flow_operator.cli.cluster import Cluster
from flow_operator.cli.errors import Cannot
from flow_operator.cli.kubeconfig import Access
from flow_operator.cli.view import RunView

_NO_FILES, _FILES = 4, 0
"""Directives of Cobra: whether the shell offers files where there are no candidates."""
SHELLS = ("bash", "zsh", "fish")

_SCRIPTS = MappingProxyType(
    {
        "bash": """\
_kubectl_flow() {
    local IFS=$'\\n' words
    words=$(kubectl_complete-flow "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
    if [[ ${words##*$'\\n'} == ":0" ]]; then compopt -o default; fi
    COMPREPLY=($(compgen -W "$(printf '%s\\n' "$words" | grep -v '^:')" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _kubectl_flow kubectl-flow
""",
        "zsh": """\
#compdef kubectl-flow
_kubectl_flow() {
    local -a candidates
    candidates=("${(@f)$(kubectl_complete-flow "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ ${candidates[-1]} == ":0" ]]; then _files; fi
    compadd -- ${candidates:#:*}
}
compdef _kubectl_flow kubectl-flow
""",
        "fish": """\
function __kubectl_flow_complete
    set -l words (commandline -opc) (commandline -ct)
    kubectl_complete-flow $words[2..-1] 2>/dev/null | string match -v -r '^:'
end
complete -c kubectl-flow -a '(__kubectl_flow_complete)'
""",
    }
)


def script(shell: str) -> str:
    """What a shell reads to complete `kubectl-flow`."""
    return _SCRIPTS[shell]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `kubectl_complete-flow`: the last word is the one being typed, and may be empty."""
    found, directive = candidates(sys.argv[1:] if argv is None else argv)
    for each in found:
        print(each)
    print(f":{directive}")
    return 0


def candidates(words: Sequence[str]) -> tuple[list[str], int]:
    """What can stand in the place of the last word, and whether files can."""
    *before, typed = words or ("",)
    given, options = _parted(before)
    command = given[0] if given else None
    if before and before[-1] in options_with_values(command):
        return _values(before[-1], given, options, typed)
    if typed.startswith("-"):
        return _beginning(typed, option_names(command)), _NO_FILES
    if command is None:
        return _beginning(typed, option_names(None, commands=True)), _NO_FILES
    if command == "lint":
        return [], _FILES
    return _positional(command, given[1:], options, typed), _NO_FILES


def _parted(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The words that are no options, and the values of options."""
    given: list[str] = []
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            given.append(word)
        elif equals:
            options[name] = value
        elif word in options_with_values(given[0] if given else None):
            options[word] = next(rest, "")
    return given, options


def _values(option: str, given: Sequence[str], options: dict[str, str], typed: str) -> tuple[list[str], int]:
    if option in ("-f", "--input", "--filename", "--kubeconfig"):
        return [], _FILES
    if option == "--request" and len(given) > 1:
        return _beginning(typed, _steps(given[1], options)), _NO_FILES
    if option in ("-o", "--output") and given[:1] == ["lint"]:
        return _beginning(typed, ("text", "json", "github")), _NO_FILES
    return [], _NO_FILES


def _positional(command: str, given: Sequence[str], options: dict[str, str], typed: str) -> list[str]:
    if command == "completion":
        return _beginning(typed, () if given else SHELLS)
    if command == "run":
        return _beginning(typed, () if given else _names(WORKFLOW, options))
    if command in RUN_COMMANDS and not given:
        return _beginning(typed, _names(WORKFLOW_EXECUTION, options))
    if command == "retry" or (command == "skip" and len(given) == 1):
        return _beginning(typed, [step for step in _steps(given[0], options) if step not in given])
    return []


def _beginning(typed: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(typed)]


def _names(kind: Kind, options: dict[str, str]) -> list[str]:
    """Names in the cluster; a shell that completes is told nothing about what is in the way."""
    try:
        return Cluster(_access(options)).names(kind)
    except Cannot:
        return []


def _steps(run: str, options: dict[str, str]) -> list[str]:
    try:
        return [step.id for step in RunView.of(Cluster(_access(options)).run(run)).status.steps]
    except Cannot:
        return []


def _access(options: dict[str, str]) -> Access:
    namespace = options.get("-n") or options.get("--namespace")
    return Access(namespace, options.get("--context"), options.get("--kubeconfig"))
