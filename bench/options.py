"""What a person can ask of the bench."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DIRECTORY = Path(__file__).parent
RESULTS = DIRECTORY / "results.json"
PROFILE = DIRECTORY / "profile.pstats"

Part = Literal["raw", "runs", "memory", "lag", "tenants"]
PARTS: tuple[Part, ...] = ("raw", "runs", "memory", "lag", "tenants")


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure, and how much of it."""

    parts: tuple[Part, ...]
    runs: tuple[int, ...]
    idle_runs: tuple[int, ...]
    raw_runs: int
    latency_runs: int
    lag_runs: int
    silent_runs: int
    profile: Path | None
    output: Path


def parse(arguments: list[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument(
        "--only", choices=PARTS, help="one part instead of all five; it replaces that part of the results"
    )
    parser.add_argument("--runs", type=_sizes, help="how many runs, such as 200,1000 (the default)")
    parser.add_argument(
        "--idle", type=_sizes, help="how many runs that wait or have ended, such as 5000,10000 (the default)"
    )
    parser.add_argument(
        "--profile", action="store_true", help=f"the operator of the part `runs` under cProfile: bench/{PROFILE.name}"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the results go (default: %(default)s)")
    given = parser.parse_args(arguments)
    part = 10 if given.quick else 1
    return Options(
        parts=(given.only,) if given.only else PARTS,
        runs=given.runs or (200 // part, 1000 // part),
        idle_runs=given.idle or (5000 // part, 10_000 // part),
        raw_runs=1000 // part,
        latency_runs=200 // part,
        lag_runs=10 // part,
        silent_runs=10_000 // part,
        profile=PROFILE if given.profile else None,
        output=given.output,
    )


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))
