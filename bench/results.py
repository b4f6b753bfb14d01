"""Everything that the bench has measured, and where."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.lag import Lag
from bench.latency import Latency
from bench.memory import Idle
from bench.raw import RawRate
from bench.spread import Spread
from bench.tenants import Tenancy
from bench.throughput import Throughput

LIBRARIES = ("kopf", "aiohttp", "pydantic")


@dataclass(slots=True)
class Results:
    """It grows as the bench goes on."""

    machine: dict[str, str] = field(default_factory=dict)
    status_bytes: list[int] = field(default_factory=list)
    """Sizes of the statuses that one run of the saga writes, as JSON."""
    raw: list[RawRate] = field(default_factory=list)
    latency: Latency | None = None
    throughput: list[Throughput] = field(default_factory=list)
    idle: list[Idle] = field(default_factory=list)
    lag: list[Lag] = field(default_factory=list)
    tenants: list[Tenancy] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write them as JSON, with the ratios."""
        document = asdict(self)
        for each, throughput in zip(document["throughput"], self.throughput, strict=True):
            each["ratio"], each["cpu_ratio"] = throughput.ratio, throughput.cpu_ratio
        path.write_text(json.dumps(document, indent=2) + "\n")


def read(path: Path) -> Results:
    """What was written; nothing if nothing was."""
    if not path.exists():
        return Results()
    document = json.loads(path.read_text())
    return Results(
        machine=document["machine"],
        status_bytes=document["status_bytes"],
        raw=[RawRate(**each) for each in document["raw"]],
        latency=_latency(document["latency"]),
        throughput=[_throughput(each) for each in document["throughput"]],
        idle=[Idle(**each) for each in document["idle"]],
        lag=[Lag(**each) for each in document.get("lag", ())],
        tenants=[Tenancy(**{**each, "ordinary": Spread(**each["ordinary"])}) for each in document.get("tenants", ())],
    )


def machine(kubernetes: str) -> dict[str, str]:
    """What a stranger has to know of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Kubernetes": kubernetes,
        "Python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def _latency(document: dict[str, Any] | None) -> Latency | None:
    if document is None:
        return None
    fields: dict[str, Any] = {
        name: Spread(**each) if isinstance(each, dict) else each for name, each in document.items()
    }
    return Latency(**fields)


def _throughput(document: dict[str, Any]) -> Throughput:
    measured = {name: each for name, each in document.items() if name not in ("ratio", "cpu_ratio")}
    raw = [RawRate(**each) for each in document["raw"]]
    return Throughput(**{**measured, "raw": raw, "first_call": Spread(**document["first_call"])})
