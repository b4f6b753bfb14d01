"""The operator with its event loop watched closely: `python -m bench.watched FILE` runs it until SIGTERM.

Meanwhile a line goes to the file whenever the loop came back late: the moment, by the clock that all processes of a
machine share, how late, and the CPU time that the process took meanwhile. The last does not depend on what else the
machine does.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from flow_operator.__main__ import main
from flow_operator.adapters import loop_lag

INTERVAL_SECONDS = 0.002
LATE_SECONDS = 0.001


def watched(path: Path) -> None:
    """Run the operator; main() ends by SystemExit."""
    with path.open("w", buffering=1) as lines:

        async def measure(_: Callable[[float], None]) -> None:
            loop = asyncio.get_running_loop()
            while True:
                due, cpu = loop.time() + INTERVAL_SECONDS, time.process_time()
                await asyncio.sleep(INTERVAL_SECONDS)
                late = loop.time() - due
                if late >= LATE_SECONDS:
                    lines.write(f"{due} {late} {time.process_time() - cpu}\n")

        loop_lag.measure = measure  # type: ignore[assignment]
        main()


if __name__ == "__main__":
    target = Path(sys.argv.pop(1))
    watched(target)
