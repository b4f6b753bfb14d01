"""The operator under a profiler: `python -m bench.profiled FILE` runs it until SIGTERM and then writes the file.

Time is the CPU time of the process, not what a clock says: what waits, or is kept waiting by other processes, costs
nothing. Being watched costs time for every call of a function: code that is made of many looks worse than it is.
"""

import cProfile
import sys
import time
from pathlib import Path

from flow_operator.__main__ import main


def profiled(path: Path) -> None:
    """Run the operator; main() ends by SystemExit."""
    profile = cProfile.Profile(time.process_time)
    try:
        profile.runcall(main)
    finally:
        profile.dump_stats(path)


if __name__ == "__main__":
    target = Path(sys.argv.pop(1))
    profiled(target)
