"""Reads the settings, or says in one line what is wrong with them.

Whatever is wrong ends the start, a misspelt name included: a setting that was ignored in silence would be found out
when it is needed. An empty value stands for the default, because a chart renders one for a value that nobody set.
"""

from __future__ import annotations

import argparse
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from flow_operator import __version__
from flow_operator.settings.model import SETTINGS, Settings, flag, variable

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a pod reads which namespace it is in."""

_SERVICE_LINK = re.compile(r"FLOW_(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_.*)?)")
"""What kubelet sets in every pod for a Service called flow or flow-something; no setting has such a name."""


class InvalidSetting(Exception):
    """The operator cannot be started like this: one line that names the settings and the way out."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidSetting(message)


def load(environ: Mapping[str, str], argv: Sequence[str], namespace_file: Path = NAMESPACE_FILE) -> Settings:
    """The settings from the environment and from the arguments (without the program's name).

    Raises InvalidSetting; `--help` and `--version` print and raise SystemExit, as argparse does.
    """
    flags, rest = _parser().parse_known_args(list(argv))
    wrong = [*_unknown_arguments(rest), *_unknown_variables(environ)]
    read: dict[str, Any] = {}
    for name, setting in SETTINGS.items():
        given = getattr(flags, name)
        label = variable(name) if given is None else flag(name)
        text = environ.get(label, "") if given is None else given
        try:
            read[name] = setting.parse(text.strip() or setting.default or _derived(name, environ, namespace_file))
        except ValueError as error:
            wrong.append(f"{label}: {error}")
    if wrong:
        raise InvalidSetting(" ".join("; ".join(wrong).split()))
    return Settings(**read)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="flow-operator",
        allow_abbrev=False,
        usage="flow-operator [--help] [--version] [--SETTING VALUE]...",
        description="Runs the operator until SIGTERM. Credentials come from KUBECONFIG, else from the cluster.",
        epilog="Every setting can be given in the environment as well: --http-listen is FLOW_HTTP_LISTEN; a flag wins.",
    )
    parser.add_argument("--version", action="version", version=f"flow-operator {__version__}")
    for name, setting in SETTINGS.items():
        meaning = f"{setting.meaning} (default: {setting.shown or setting.default})"
        parser.add_argument(flag(name), metavar="VALUE", help=meaning.replace("%", "%%"))
    return parser


def _derived(name: str, environ: Mapping[str, str], namespace_file: Path) -> str:
    """The default of a setting that follows from where the operator runs; empty for the others."""
    if name == "identity":
        return environ.get("HOSTNAME") or platform.node()
    if name == "lease_namespace":
        try:
            return namespace_file.read_text(encoding="utf-8").strip() or "default"
        except OSError:
            return "default"
    return ""


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = {variable(name) for name in SETTINGS}
    unknown = [name for name in sorted(environ) if name.startswith("FLOW_") and name not in known]
    return [
        f"{name} is no setting: {_way_out(name, known)}" for name in unknown if _SERVICE_LINK.fullmatch(name) is None
    ]


def _unknown_arguments(rest: list[str]) -> list[str]:
    unknown = [argument.partition("=")[0] for argument in rest if argument.startswith("-")] or rest[:1]
    return [f"{name!r} is no setting: {_way_out(name, map(flag, SETTINGS))}" for name in unknown]


def _way_out(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, sorted(known), 1, cutoff=0.75)
    return f"did you mean {close[0]}?" if close else "remove it (flow-operator --help lists all settings)"
