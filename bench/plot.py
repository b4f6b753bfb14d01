"""Draws results as a picture.

Lengths are ratios, so pictures of different machines can be laid side by side: a run's own writes, made by nothing but
a loop, are 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from statistics import mean

from bench.latency import Latency
from bench.results import Results
from bench.targets import RATIO
from bench.throughput import Throughput

WIDTH, LEFT, UNIT, ROW, BAR = 860, 250, 300, 30, 18
"""Pixels: the picture, where bars begin, the length of 1, and the height of a row and of a bar."""
COLOURS = {
    "API server": "#4477aa",
    "etcd": "#66ccee",
    "controllers": "#bbbbbb",
    "writer": "#ddcc77",
    "operator": "#ee6677",
    "service": "#aa3377",
    "watch event": "#4477aa",
    "one write": "#66ccee",
    "the operator's own": "#ee6677",
    "measured": "#228833",
    "by CPU time": "#ccbb44",
}

Part = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars under a title; each bar is made of parts."""

    title: str
    bars: Sequence[tuple[str, Sequence[Part]]]
    mark: float = 1.0
    """Where the dashed line is."""


def panels(results: Results) -> Iterator[Panel]:
    """What there is to show."""
    runs = results.throughput
    if runs:
        yield Panel(f"Runs per second, of what the raw rate of writes allows (wanted: {RATIO})", _ratios(runs), RATIO)
        largest = [each for each in runs if each.mode != "apart"][-2:]
        yield Panel("CPU time of one run, beside that of its writes alone", _cpu(largest))
    if results.latency is not None:
        title = "From create to the first call, beside a watch event and one write (medians)"
        yield Panel(title, _latency(results.latency))


def _ratios(runs: Sequence[Throughput]) -> list[tuple[str, list[Part]]]:
    bars: list[tuple[str, list[Part]]] = []
    for each in runs:
        bars.append((f"{each.runs} runs, {each.mode}", [("measured", each.ratio)]))
        if each.cpu_ratio and each.mode != "apart":
            bars.append(("", [("by CPU time", each.cpu_ratio)]))
    return bars


def _cpu(runs: Sequence[Throughput]) -> list[tuple[str, list[Part]]]:
    raw = runs[0].raw
    names = ("API server", "etcd", "controllers")
    writes = runs[0].writes_per_run
    alone = {name: writes * mean(each.cpu_ms.get(name, 0) for each in raw) for name in (*names, "bench")}
    whole = sum(alone.values()) or 1.0
    bars = [
        ("the writes alone", [*((name, alone[name] / whole) for name in names), ("writer", alone["bench"] / whole)])
    ]
    for each in runs:
        parts = [(name, each.cpu_ms.get(name, 0) / whole) for name in (*names, "operator", "service")]
        bars.append((f"a run, {each.mode}", parts))
    return bars


def _latency(latency: Latency) -> list[tuple[str, list[Part]]]:
    watch, write = latency.watch.p50, latency.write.p50
    raw = watch + write
    own = ("the operator's own", max(0.0, latency.first_call.p50 - raw) / raw)
    parts = [("watch event", watch / raw), ("one write", write / raw)]
    return [("raw", parts), ("first call", [*parts, own])]


def draw(panels: Sequence[Panel]) -> str:
    """The picture."""
    shapes: list[str] = []
    top = 10
    for panel in panels:
        shapes += _panel(panel, top)
        top += ROW * (len(panel.bars) + 2) + 30
    body = "\n".join(shapes)
    font = 'font-family="sans-serif" font-size="13"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" {font}>\n'
        f'<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _panel(panel: Panel, top: int) -> Iterator[str]:
    yield _text(20, top + 20, panel.title, weight="bold")
    above, below = top + 32, top + 36 + ROW * len(panel.bars)
    for number, (name, parts) in enumerate(panel.bars):
        y = above + ROW * number
        yield _text(LEFT - 10, y + 14, name, anchor="end")
        x = float(LEFT)
        for part, value in parts:
            yield f'<rect x="{x:.1f}" y="{y}" width="{value * UNIT:.1f}" height="{BAR}" fill="{COLOURS[part]}"/>'
            x += value * UNIT
        yield _text(x + 6, y + 14, f"{sum(value for _, value in parts):.2f}")
    mark = LEFT + panel.mark * UNIT
    yield f'<path d="M{mark:.1f} {above - 4}V{below - 6}" stroke="#333333" stroke-dasharray="4 3"/>'
    x = float(LEFT)
    for part in dict.fromkeys(part for _, parts in panel.bars for part, _ in parts):
        yield f'<rect x="{x:.1f}" y="{below}" width="11" height="11" fill="{COLOURS[part]}"/>'
        yield _text(x + 16, below + 10, part)
        x += 34 + 7.2 * len(part)


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text {place} fill="#222222">{escape(text)}</text>'
