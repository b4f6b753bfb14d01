"""Memory and file handles of one process as time goes by, and whether they are flat."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.processes import open_files, resident_mib

MORE_MEMORY, MORE_MIB = 1.10, 4.0
"""By this factor and so many MiB the last quarter may be above the second: what an allocator keeps for itself."""
MORE_FILES = 12
"""So many connections more may be open: how many are depends on what fails just then."""


@dataclass(slots=True)
class Gauges:
    """Samples, taken at even intervals; none where there is no /proc."""

    pid: int
    mib: list[float] = field(default_factory=list)
    files: list[float] = field(default_factory=list)

    def sample(self) -> None:
        """Look once."""
        memory, files = resident_mib(self.pid), open_files(self.pid)
        if memory is not None and files is not None:
            self.mib.append(memory)
            self.files.append(files)

    @property
    def now(self) -> str:
        """The last sample in words."""
        return f"{self.mib[-1]:.0f} MiB, {self.files[-1]:.0f} files" if self.mib else "not measured"

    def findings(self) -> Iterator[str]:
        """What has grown: the second quarter is the measure, the first is the operator warming up."""
        memory, files = _quarters(self.mib), _quarters(self.files)
        if memory[1] > memory[0] * MORE_MEMORY + MORE_MIB:
            yield f"memory grew from {memory[0]:.0f} to {memory[1]:.0f} MiB"
        if files[1] > files[0] + MORE_FILES:
            yield f"open files grew from {files[0]:.0f} to {files[1]:.0f}"

    def __str__(self) -> str:
        if len(self.mib) < 4:
            return "not measured"
        memory, files = _quarters(self.mib), _quarters(self.files)
        return (
            f"{memory[0]:.1f} → {memory[1]:.1f} MiB, {files[0]:.0f} → {files[1]:.0f} open files (medians of the second "
            f"and the last quarter)"
        )


def _quarters(samples: Sequence[float]) -> tuple[float, float]:
    quarter = len(samples) // 4
    if not quarter:
        return 0.0, 0.0
    return median(samples[quarter : 2 * quarter]), median(samples[-quarter:])
