"""Everything that one run of the bench has measured."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.latency import Latency
from bench.memory import Idle
from bench.raw import RawRate
from bench.throughput import Throughput


@dataclass(slots=True)
class Results:
    """It grows as the bench goes on."""

    status_bytes: list[int] = field(default_factory=list)
    """Sizes of the statuses that one run of the saga writes, as JSON."""
    raw: list[RawRate] = field(default_factory=list)
    latency: Latency | None = None
    throughput: list[Throughput] = field(default_factory=list)
    idle: list[Idle] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write them as JSON, with the ratios."""
        document = {"python": platform.python_version(), "cpus": os.cpu_count(), **asdict(self)}
        for each, throughput in zip(document["throughput"], self.throughput, strict=True):
            each["ratio"], each["cpu_ratio"] = throughput.ratio, throughput.cpu_ratio
        path.write_text(json.dumps(document, indent=2) + "\n")
