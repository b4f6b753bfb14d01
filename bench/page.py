"""Fill the tables of docs/performance.md and draw its picture, from the results in docs/performance.json, or prove both
current: `python -m bench.page [--check]`.

What is measured changes with every machine; docs/performance.json is the one measurement that the text talks about.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.plot import draw, panels
from bench.raw import best
from bench.report import SAID
from bench.results import Results, read
from bench.targets import targets
from flow_operator.api.generated import filled, write_or_check
from flow_operator.api.phrases import table

RESULTS, TEXT, PICTURE = "docs/performance.json", "docs/performance.md", "docs/performance.svg"

Rows = Iterator[tuple[str, ...]]


def _machine(results: Results) -> Rows:
    yield "", ""
    yield from results.machine.items()


def _targets(results: Results) -> Rows:
    yield "What", "Wanted", "Measured", ""
    for each in targets(results):
        yield each.name, each.wanted, each.measured, "met" if each.met else "**missed**"


def _rates(results: Results) -> Rows:
    yield (
        "Runs",
        "Runs/s",
        "Writes per run",
        "Raw writes/s",
        "Ratio",
        "By CPU time",
        "Operator, ms",
        "API server, ms",
        "Others",
    )
    for each in results.throughput:
        yield (
            f"{each.runs} {SAID[each.mode]}",
            f"{each.per_second:.0f}",
            f"{each.writes_per_run:.2f}",
            f"{best(each.raw):.0f}",
            f"**{each.ratio:.2f}**",
            f"{each.cpu_ratio or 0:.2f}",
            f"{each.cpu_ms.get('operator', 0):.1f}",
            f"{each.cpu_ms.get('API server', 0):.1f}",
            f"{each.others or 0:.0%}",
        )


def _latency(results: Results) -> Rows:
    latency = results.latency
    assert latency is not None, "the results have no part `runs`"
    raw = latency.watch.p50 + latency.write.p50
    rows = {
        "create → watch event, raw": latency.watch,
        "one status write, raw": latency.write,
        "create → first call": latency.first_call,
        "answer → next call (one write in between)": latency.next_call,
    }
    yield "What", "p50, ms", "p95, ms", "p50, of raw watch and one write"
    for name, each in rows.items():
        yield name, f"{each.p50:.1f}", f"{each.p95:.1f}", f"{each.p50 / raw:.2f}"


def _idle(results: Results) -> Rows:
    yield "Runs", "Memory, MiB", "Per run, KiB", "Ready again, s", "Writes", "Calls"
    for each in results.idle:
        most = max(each.mib or 0, each.live_mib or 0)
        yield (
            f"{each.runs} {each.kind}",
            f"{most:.0f}",
            f"{(most - (each.empty_mib or 0)) * 1024 / each.runs:.1f}",
            f"{each.ready_seconds:.1f}",
            str(each.writes),
            str(each.calls),
        )


def _lag(results: Results) -> Rows:
    yield "Workflow", "Late, ms", "CPU, ms", "Others"
    for each in results.lag:
        others = "not measured" if each.others is None else f"{each.others:.0%}"
        yield each.shape, f"{each.late_ms:.0f}", f"{each.busy_ms:.0f}", others
    if not results.lag:
        yield "not measured yet", "", "", ""


def _tenants(results: Results) -> Rows:
    yield "The other namespace", "p50, ms", "p95, ms", "p95, of alone", "Memory, MiB", "Others"
    for each in results.tenants:
        yield (
            f"{each.greedy} ({each.runs})" if each.runs else each.greedy,
            f"{each.ordinary.p50:.1f}",
            f"{each.ordinary.p95:.1f}",
            f"{each.ordinary.p95 / results.tenants[0].ordinary.p95:.2f}",
            "not measured" if each.most_mib is None else f"{each.most_mib:.0f}",
            "not measured" if each.others is None else f"{each.others:.0%}",
        )
    if not results.tenants:
        yield "not measured yet", "", "", "", "", ""


BLOCKS: Mapping[str, Callable[[Results], Rows]] = {
    "machine": _machine,
    "targets": _targets,
    "rates": _rates,
    "latency": _latency,
    "idle": _idle,
    "lag": _lag,
    "tenants": _tenants,
}


def files(repository: Path) -> dict[str, str]:
    """Path in the repository → content."""
    results = read(repository / RESULTS)

    def block(name: str) -> str:
        heading, *rows = BLOCKS[name](results)
        return table(heading, rows)

    text = (repository / TEXT).read_text(encoding="utf-8")
    return {TEXT: filled(text, block), PICTURE: draw(list(panels(results)))}


if __name__ == "__main__":
    sys.exit(write_or_check("bench.page", files, sys.argv[1:]))
