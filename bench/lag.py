"""How long one run keeps the event loop to itself: the largest workflows that there can be, one run at a time.

While a plan is made nothing else happens: no answer is read, no lease renewed. So what counts is the longest time that
the loop was away in a run, of all its plans.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.client import Client
from bench.operator import OperatorProcess
from bench.processes import CpuMeter
from bench.saga import Object, workflow
from bench.service import LARGE_METHOD, REFUSED_METHOD
from bench.stage import Stage
from bench.waiting import until

NAMESPACE = "lag"
STEPS = 200
WARM_UP = 1
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Lag:
    """Milliseconds, each the median over the runs of the longest of each run."""

    shape: str
    steps: int
    runs: int
    late_ms: float
    """How late the loop was for what was due."""
    busy_ms: float
    """CPU time that the operator took meanwhile."""
    others: float | None
    """Part of the machine's CPU time that went to processes which have nothing to do with this."""


async def measure(stage: Stage, admin: Client, runs: int) -> list[Lag]:
    """So many runs of each shape."""
    watched = stage.log("late")
    with stage.operator(stage.namespace(NAMESPACE), watched=watched) as operator:
        operator.start()
        return [
            await _measured(stage, admin, operator, watched, name, steps, runs)
            for name, steps in shapes(stage.callee.port).items()
        ]


def shapes(port: int) -> Mapping[str, list[Object]]:
    """What a workflow of 200 steps can look like at its worst."""
    half = STEPS // 2
    first = [_step(f"a{number}", port) for number in range(half)]
    required = [step["id"] for step in first]
    second = [_step(f"b{number}", port, requires=required) for number in range(half)]
    failing = {**second[-1], "endpoint": {**second[-1]["endpoint"], "method": REFUSED_METHOD}}
    chain = [_step(f"s{number}", port, requires=[f"s{number - 1}"] if number else []) for number in range(STEPS)]
    return {
        f"{half} steps that {half} require": [*first, *second],
        "the same, undone": [*first, *second[:-1], failing],
        f"a chain of {STEPS} steps": chain,
    }


def _step(id: str, port: int, **fields: object) -> Object:
    endpoint = {"service": "shop", "port": port, "method": LARGE_METHOD}
    return {"id": id, "endpoint": endpoint, "compensate": {"endpoint": endpoint}, **fields}


async def _measured(
    stage: Stage, admin: Client, operator: OperatorProcess, watched: Path, shape: str, steps: list[Object], runs: int
) -> Lag:
    name = f"shape-{list(shapes(0)).index(shape)}"
    await admin.create("workflows", NAMESPACE, workflow(name, steps))
    late, busy, meter = [], [], CpuMeter({})
    for number in range(-WARM_UP, runs):
        if number == 0:
            meter = stage.cpu(operator)
        began, ended = time.monotonic(), _ended(operator)
        await admin.create_run(NAMESPACE, f"{name}-{number + WARM_UP}", name)
        await until(lambda: _ended(operator) > ended, every=LOOK_SECONDS)  # noqa: B023 awaited before it changes
        if number >= 0:
            longest = _longest(watched, began)
            late.append(longest[0] * 1000)
            busy.append(longest[1] * 1000)
    return Lag(shape, len(steps), runs, median(late), median(busy), meter.others())


def _ended(operator: OperatorProcess) -> int:
    return operator.runs_in("Success") + operator.runs_in("Failure")


def _longest(watched: Path, since: float) -> tuple[float, float]:
    """The longest lag since a moment, and the most CPU time within one."""
    lines = [tuple(map(float, line.split())) for line in watched.read_text().splitlines()]
    seen = [(late, cpu) for moment, late, cpu in lines if moment >= since] or [(0.0, 0.0)]
    return max(late for late, _ in seen), max(cpu for _, cpu in seen)
