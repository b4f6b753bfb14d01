"""What is wanted of the operator, and whether it was met."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.results import Results
from bench.tenants import memory_limit

RATIO = 0.8
RATED = {"waiting": "", "apart": ", API server on cores of its own"}
"""Modes of which a rate is wanted."""
FIRST_CALL_MS = 2.0
IDLE_MIB = {5_000: 150.0, 10_000: 200.0}
"""By how many runs wait; more are allowed no more."""
READY_SECONDS = 10.0
LAG_MS = 50.0
NEIGHBOUR = 2.0
"""How many times as long an ordinary run may take beside a namespace that does its worst."""


@dataclass(frozen=True, slots=True)
class Target:
    """One of them."""

    name: str
    wanted: str
    measured: str
    met: bool


def targets(results: Results) -> Iterator[Target]:
    """Those about which something was measured."""
    for each in results.throughput:
        if each.mode in RATED:
            name = f"{each.runs} runs{RATED[each.mode]}: rate, of what the raw rate allows"
            yield Target(name, f"≥ {RATIO}", f"{each.ratio:.2f}", each.ratio >= RATIO)
    if (latency := results.latency) is not None:
        raw = latency.watch.p50 + latency.write.p50
        more = latency.first_call.p50 - raw
        wanted = f"≤ {raw:.1f} + {FIRST_CALL_MS:g} ms"
        yield Target("applied → first call, p50", wanted, f"{raw:.1f} + {more:.1f} ms", more <= FIRST_CALL_MS)
    for idle in results.idle:
        about = f"{idle.runs} runs, {idle.kind}"
        most = max(idle.mib or 0, idle.live_mib or 0)
        if most and idle.kind != "ended":
            limit = next((mib for runs, mib in IDLE_MIB.items() if runs >= idle.runs), max(IDLE_MIB.values()))
            yield Target(f"{about}: memory", f"≤ {limit:g} MiB", f"{most:.0f} MiB", most <= limit)
        seconds = idle.ready_seconds
        yield Target(f"{about}: ready again", f"≤ {READY_SECONDS:g} s", f"{seconds:.1f} s", seconds <= READY_SECONDS)
        caused = idle.writes + idle.calls
        yield Target(f"{about}: writes and calls", "none", str(caused) if caused else "none", not caused)
    for lag in results.lag:
        name = f"{lag.shape}: the longest that a run keeps the event loop"
        yield Target(name, f"≤ {LAG_MS:g} ms", f"{lag.busy_ms:.0f} ms", lag.busy_ms <= LAG_MS)
    yield from _neighbourly(results)


def _neighbourly(results: Results) -> Iterator[Target]:
    if not results.tenants:
        return
    alone, *beside = results.tenants
    for each in beside:
        name = f"beside a namespace whose host never answers, {each.greedy} ({each.runs}): p95, of what it is alone"
        ratio = each.ordinary.p95 / alone.ordinary.p95
        yield Target(name, f"≤ {NEIGHBOUR:g}", f"{ratio:.2f}", ratio <= NEIGHBOUR)
    most, limit = max(each.most_mib or 0 for each in results.tenants), memory_limit()
    if most:
        yield Target("the same: memory", f"< {limit:g} MiB, the chart's limit", f"{most:.0f} MiB", most < limit)
