"""`python -m tests.soak [--minutes 10] [--seed N]`: exit code 0 when nothing was found."""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.controlplane import BinariesError, ControlPlane
from tests.soak.soak import Options, soak


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: %(default)g)")
    parser.add_argument("--seed", type=int, help="the dice of an earlier soak (default: new ones)")
    given = parser.parse_args()
    seed = secrets.randbelow(10_000) if given.seed is None else given.seed
    _say(f"seed {seed}, {given.minutes:g} minutes")
    directory = Path(tempfile.mkdtemp(prefix="flow-soak-"))
    try:
        with ControlPlane() as plane:
            report = soak(Options(given.minutes * 60, seed), plane, directory, _say)
    except KeyboardInterrupt:
        return 130
    except BinariesError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    _say("\n".join(["", *report.summary, "", *(f"FOUND: {finding}" for finding in report.findings)]))
    _say(f"{len(report.findings)} findings; seed {seed}; journals and logs are in {directory}")
    return 1 if report.findings else 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
