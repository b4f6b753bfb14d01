"""Walks and shows how much it was: `python -m tests.engine.explorer`, with `--full` what `make test-full` walks."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from time import process_time

from tests.engine.explorer.matrices import FULL, SHORT, Matrix
from tests.engine.explorer.walk import Violation


@dataclass(frozen=True, slots=True)
class Size:
    """How much was walked; seconds are those of the processor."""

    workflows: int = 0
    states: int = 0
    moves: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Size") -> "Size":
        return Size(
            self.workflows + other.workflows,
            self.states + other.states,
            self.moves + other.moves,
            self.seconds + other.seconds,
        )

    def __str__(self) -> str:
        return f"{self.workflows:6,} workflows {self.states:10,} states {self.moves:11,} moves {self.seconds:6,.0f} s"


def walked(matrix: Matrix, shard: int) -> Size:
    """One part of a matrix, walked to the end. Raises Violation."""
    began, size = process_time(), Size()
    for walk in matrix.walks(shard):
        walk.go()
        size += Size(1, len(walk.states), walk.edges)
    return size + Size(seconds=process_time() - began)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 1 when a sentence does not hold; its shortest story is printed."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.explorer", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the long matrices as well: ten minutes on two processors")
    parser.add_argument("--only", default="", metavar="WORDS", help="only matrices with these words in their names")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), metavar="N")
    args = parser.parse_args(argv)
    matrices = [matrix for matrix in (*SHORT, *(FULL if args.full else ())) if args.only in matrix.name]
    with ProcessPoolExecutor(args.processes) as pool:
        total, violations = _watch(
            {pool.submit(walked, matrix, shard): matrix for matrix in matrices for shard in range(matrix.shards)}
        )
    _say("all of it", total, f"; {violations} violations" if violations else "; every sentence holds")
    return int(violations > 0)


def _watch(parts: Mapping[Future[Size], Matrix]) -> tuple[Size, int]:
    """Tells of each matrix when all its parts are walked, and of each violation at once."""
    sizes: dict[str, Size] = {}
    left = Counter(matrix.name for matrix in parts.values())
    violations = 0
    for part in as_completed(parts):
        name = parts[part].name
        try:
            sizes[name] = sizes.get(name, Size()) + part.result()
        except Violation as violation:
            violations += 1
            print(f"{name}: {violation}")
        left[name] -= 1
        if not left[name]:
            _say(name, sizes.get(name, Size()))
        if sys.stdout.isatty():
            print(f"{left.total()} of {len(parts)} parts are left …", end="\r", flush=True)
    return sum(sizes.values(), Size()), violations


def _say(name: str, size: Size, more: str = "") -> None:
    print(f"{name:57} {size}{more}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
