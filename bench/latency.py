"""How soon: from applying a run to its first call, and from an answer to the next call, one run at a time.

Each run of the operator has a raw one as its neighbour: a create whose watch event is awaited, and writes alone. So
both have the same noise, and what is compared are the medians.
"""

import asyncio
import time
from dataclasses import dataclass
from itertools import pairwise

from bench.client import Client
from bench.raw import NAMESPACE as RAW
from bench.raw import RawWriter
from bench.saga import LEVELS, saga
from bench.spread import Spread, spread
from bench.stage import Stage

NAMESPACE, WORKFLOW = "latency", "saga"
WARM_UP = 10
PAUSE_SECONDS = 0.03
"""After the last call of a run, for its last write: the next run is to begin in silence."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds."""

    others: float | None
    """Part of the machine's CPU time that went to processes which have nothing to do with this."""
    watch: Spread
    """Create → watch event, without an operator."""
    write: Spread
    """One status write, without an operator."""
    first_call: Spread
    """Create → first call."""
    next_call: Spread
    """Answer → next call: one write is in between."""


async def measure(stage: Stage, admin: Client, raw: RawWriter, runs: int) -> Latency:
    """Alternate raw runs and runs of the operator."""
    watches, writes, applied = [], [], {}
    with stage.operator(stage.namespace(NAMESPACE)) as operator:
        operator.start()
        await admin.create("workflows", NAMESPACE, saga(WORKFLOW, stage.callee.port))
        calls = first = await stage.callee.count()
        meter = stage.cpu(operator)
        async with admin.watch(RAW) as events:
            for number in range(-WARM_UP, runs):
                watch, write = await raw.one(events)
                moment = time.monotonic()
                written = await admin.create_run(NAMESPACE, f"run-{number + WARM_UP}", WORKFLOW)
                calls = await stage.callee.until(calls + LEVELS)
                await asyncio.sleep(PAUSE_SECONDS)
                if number >= 0:
                    watches.append(watch)
                    writes += write
                    applied[f"{NAMESPACE}/{written.name}"] = moment
        others = meter.others()
    seen = await stage.callee.calls(first)
    return Latency(
        others=others,
        watch=spread(watches),
        write=spread(writes),
        first_call=spread([seen[run][0] - moment for run, moment in applied.items()]),
        next_call=spread([later - earlier for run in applied for earlier, later in pairwise(seen[run])]),
    )
