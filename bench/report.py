"""The tables that a person reads."""

from collections.abc import Iterator, Mapping, Sequence

from bench.lag import Lag
from bench.latency import Latency
from bench.memory import Idle
from bench.raw import RawRate, best
from bench.spread import Spread
from bench.targets import Target
from bench.tenants import Tenancy
from bench.throughput import Throughput

SAID = {
    "waiting": "that wait until their Workflow is applied",
    "applied": "applied while the operator works",
    "apart": "that wait until their Workflow is applied, the API server on cores of its own",
}
NOT_MEASURED = "not measured"
OTHERS_TOOK = "CPU time of the machine that others took"
ORDER = ("operator", "API server", "etcd", "controllers", "service", "bench")


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table: the first column to the left, all others to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        first, *others = (cell.ljust(widths[0]) if n == 0 else cell.rjust(widths[n]) for n, cell in enumerate(row))
        return "  ".join((first, *others)).rstrip()

    return "\n".join(("", title, line(header), "  ".join("─" * width for width in widths), *map(line, rows)))


def raw_table(sizes: Sequence[int], samples: Sequence[RawRate]) -> str:
    """What the API server takes."""
    title = f"Raw status writes, {', '.join(map(str, sizes))} bytes of status in turn"
    columns = ("API server", "etcd", "controllers", "bench")
    rows = [
        (f"{each.writers} writers", f"{each.per_second:.0f}", *(_ms(each.cpu_ms.get(name)) for name in columns))
        for each in samples
    ]
    return table(title, ("", "per second", *(f"CPU ms, {name}" for name in columns)), rows)


def latency_table(latency: Latency) -> str:
    """How soon, one run at a time."""
    raw = Spread(latency.watch.p50 + latency.write.p50, latency.watch.p95 + latency.write.p95)
    rows = (
        ("create → watch event, raw", latency.watch),
        ("one status write, raw", latency.write),
        ("both", raw),
        ("create → first call", latency.first_call),
        ("answer → next call", latency.next_call),
    )
    cells = [(name, f"{each.p50:.1f}", f"{each.p95:.1f}") for name, each in rows]
    cells.append((OTHERS_TOOK, _percent(latency.others), ""))
    return table("How soon, one run at a time (ms)", ("", "p50", "p95"), cells)


def throughput_table(each: Throughput) -> str:
    """How many, and what each costs."""
    rows = [
        ("runs per second", f"{each.per_second:.1f}"),
        ("status writes per run", f"{each.writes_per_run:.2f}"),
        ("refused as stale, of all writes", f"{each.conflicts / max(each.status_writes, 1):.3f}"),
        ("other writes (revision, definition)", str(each.other_writes)),
        *_raw_rows(each),
        ("ratio to (raw ÷ writes per run)", f"{each.ratio:.2f}"),
        ("the same ratio by CPU time", NOT_MEASURED if each.cpu_ratio is None else f"{each.cpu_ratio:.2f}"),
        ("apply → first call, p50 and p95", f"{each.first_call.p50 / 1000:.2f} s  {each.first_call.p95 / 1000:.2f} s"),
        *_cpu_rows(each),
        (OTHERS_TOOK, _percent(each.others)),
    ]
    return table(f"{each.runs} runs {SAID[each.mode]}", ("", ""), rows)


def _raw_rows(each: Throughput) -> Iterator[tuple[str, str]]:
    for writers in dict.fromkeys(sample.writers for sample in each.raw):
        rates = "  ".join(f"{sample.per_second:.0f}" for sample in each.raw if sample.writers == writers)
        yield f"raw writes per second, {writers} writers, before and after", rates
    yield "of these, what there is to be had", f"{best(each.raw):.0f}"


def _cpu_rows(each: Throughput) -> Iterator[tuple[str, str]]:
    for name in ORDER:
        yield f"CPU per run, {name}, ms", _ms(each.cpu_ms.get(name))


def _percent(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.0%}"


def _ms(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.2f}"


def idle_table(idle: Sequence[Idle]) -> str:
    """What runs cost for which nothing is to be done."""

    def mib(value: float | None) -> str:
        return NOT_MEASURED if value is None else f"{value:.0f}"

    header = ("runs", "empty", "live", "MiB", "most", "ready s", "CPU s", "first call s", "writes", "calls")
    rows = [
        (
            f"{each.runs} {each.kind}",
            mib(each.empty_mib),
            "" if each.live_mib is None else mib(each.live_mib),
            mib(each.mib),
            mib(each.most_mib),
            f"{each.ready_seconds:.1f}",
            NOT_MEASURED if each.ready_cpu_seconds is None else f"{each.ready_cpu_seconds:.1f}",
            f"{each.first_call_seconds:.1f}",
            str(each.writes),
            str(each.calls),
        )
        for each in idle
    ]
    return table("Runs for which nothing is to be done, after a restart", header, rows)


def lag_table(lags: Sequence[Lag]) -> str:
    """How long one run keeps the event loop to itself."""
    rows = [(each.shape, f"{each.late_ms:.0f}", f"{each.busy_ms:.0f}", _percent(each.others)) for each in lags]
    header = ("", "late ms", "CPU ms", "others took")
    return table("The longest that a run keeps the event loop to itself, median over the runs", header, rows)


def tenants_table(tenants: Sequence[Tenancy]) -> str:
    """What one namespace notices of another."""
    rows = [
        (
            each.greedy if not each.runs else f"{each.greedy}, {each.runs}",
            f"{each.ordinary.p50:.1f}",
            f"{each.ordinary.p95:.1f}",
            NOT_MEASURED if each.most_mib is None else f"{each.most_mib:.0f}",
            _percent(each.others),
        )
        for each in tenants
    ]
    header = ("what the other namespace does", "p50", "p95", "most MiB", "others took")
    return table("One step, create → end (ms), beside a namespace whose host never answers", header, rows)


def rooms_table(spent: Mapping[str, float]) -> str:
    """Whose code took the operator's time."""
    total = sum(spent.values())
    ordered = sorted(spent.items(), key=lambda item: -item[1])
    rows = [(room, f"{seconds:.2f}", f"{seconds / total:.0%}") for room, seconds in ordered]
    return table("CPU time of the operator under the profiler", ("", "s", "of all"), rows)


def targets_table(targets: Sequence[Target]) -> str:
    """What is wanted, and whether it was met."""
    rows = [(each.name, each.wanted, each.measured, "met" if each.met else "missed") for each in targets]
    return table("Targets", ("", "wanted", "measured", ""), rows)
