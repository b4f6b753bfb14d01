"""`python -m bench`: measure, print, write bench/results.json."""

import asyncio
import json
import pstats
import sys
import time

from tests.controlplane import BinariesError
from tests.controlplane.process import ServerError

from bench import lag, latency, tenants, throughput
from bench.client import connected
from bench.memory import Idleness
from bench.operator import OperatorError
from bench.options import Options, parse
from bench.raw import NAMESPACE, RawWriter, real_statuses
from bench.report import (
    idle_table,
    lag_table,
    latency_table,
    raw_table,
    rooms_table,
    targets_table,
    tenants_table,
    throughput_table,
)
from bench.results import Results, machine, read
from bench.rooms import rooms
from bench.stage import Stage
from bench.targets import targets

PROFILE_LINES = 30


def main() -> int:
    """Run the command; the exit code says only whether it could measure."""
    options = parse()
    results, began = read(options.output) if len(options.parts) == 1 else Results(), time.monotonic()
    try:
        _progress("starting the control plane")
        with Stage() as stage:
            asyncio.run(_measure(options, stage, results))
    except KeyboardInterrupt:
        return 130
    except (BinariesError, OperatorError, ServerError, TimeoutError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(targets_table(list(targets(results))))
    results.write(options.output)
    print(f"\n{options.output}, after {time.monotonic() - began:.0f} s")
    if options.profile is not None and "runs" in options.parts:
        print(rooms_table(rooms(options.profile)))
        pstats.Stats(str(options.profile)).strip_dirs().sort_stats("tottime").print_stats(PROFILE_LINES)
    return 0


async def _measure(options: Options, stage: Stage, results: Results) -> None:
    stage.namespace(NAMESPACE)
    async with connected(stage.admin) as admin, connected(stage.account) as account:
        results.machine = machine(await admin.version())
        _progress("one real run, for its statuses")
        statuses = await real_statuses(stage, admin)
        results.status_bytes = [len(json.dumps(status, separators=(",", ":")).encode()) for status in statuses]
        raw = RawWriter(stage, admin, account, statuses)
        if "raw" in options.parts:
            _progress(f"raw writes, {options.raw_runs * len(statuses)} for each number of writers")
            results.raw = await raw.rates(options.raw_runs)
            print(raw_table(results.status_bytes, results.raw))
        if "runs" in options.parts:
            _progress(f"{options.latency_runs} runs, one at a time")
            results.latency = await latency.measure(stage, admin, raw, options.latency_runs)
            print(latency_table(results.latency))
            _progress(f"{' and '.join(map(str, options.runs))} runs at once, each between two raw samples")
            results.throughput = []
            async for each in throughput.measure(stage, admin, raw, options.runs, options.profile):
                results.throughput.append(each)
                print(throughput_table(each), flush=True)
        if "memory" in options.parts:
            results.idle = []
            for number, runs in enumerate(options.idle_runs):
                idleness = Idleness(stage, admin, account, runs)
                every = (idleness.workflow_missing, idleness.backing_off, idleness.ended)
                for measure in every if number == 0 else (idleness.backing_off,):  # that keeps the most
                    _progress(f"{runs} idle runs, {measure.__name__.replace('_', ' ')}")
                    results.idle.append(await measure())
            print(idle_table(results.idle))
        if "lag" in options.parts:
            _progress(f"{options.lag_runs} runs of each of the largest workflows, one at a time")
            results.lag = await lag.measure(stage, admin, options.lag_runs)
            print(lag_table(results.lag))
        if "tenants" in options.parts:
            _progress(f"one namespace beside another whose {options.silent_runs} runs call a host that never answers")
            results.tenants = await tenants.measure(stage, admin, options.silent_runs)
            print(tenants_table(results.tenants))


def _progress(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
