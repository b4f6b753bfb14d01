"""What a process costs: CPU time and memory, as /proc has it. Where there is no /proc (macOS) nothing is measured."""

import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path

PROC = Path("/proc")
MEASURED = (PROC / "self" / "stat").exists()

_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1024


def cpu_seconds(pid: int) -> float | None:
    """CPU time of a process so far, user and system."""
    return _cpu_seconds(pid) if MEASURED else None


def resident_mib(pid: int, field: str = "VmRSS") -> float | None:
    """Memory of a process that is in RAM; `VmHWM` is the most there ever was."""
    if not MEASURED:
        return None
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) / _MIB for line in lines if line.startswith(f"{field}:"))


def open_files(pid: int) -> int | None:
    """How many file handles a process has, connections included."""
    return len(list((PROC / str(pid) / "fd").iterdir())) if MEASURED else None


def pin(pid: int, cpus: Collection[int]) -> None:
    """Let a process, with the threads that it has and those that these start, run on these CPUs only."""
    for thread in (PROC / str(pid) / "task").iterdir():
        os.sched_setaffinity(int(thread.name), cpus)


def children() -> dict[str, int]:
    """Pids of the processes that this one has started, by the name of the executable."""
    found: dict[str, int] = {}
    for directory in PROC.glob("[0-9]*") if MEASURED else ():
        try:
            fields = _stat(int(directory.name))
            name = (directory / "comm").read_text().strip()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == os.getpid():
            found[name] = int(directory.name)
    return found


MACHINE, BENCH, OTHERS = "machine", "bench", "others"


class CpuMeter:
    """CPU time of some processes, of this one, and of everybody else on the machine, from now on."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._began = self._now()
        self._clock = time.monotonic()

    def others(self) -> float | None:
        """The part of the machine's CPU time that went to other processes than those that are measured."""
        there_was = (time.monotonic() - self._clock) * 1000 * (os.cpu_count() or 1)
        return self.per(there_was).get(OTHERS)

    def per(self, number: float) -> dict[str, float]:
        """CPU milliseconds since the meter was made for each of so many, by process; empty if not measured."""
        spent = {name: (after - self._began[name]) * 1000 / number for name, after in self._now().items()}
        if spent:
            machine = spent.pop(MACHINE)
            spent[OTHERS] = max(0.0, machine - sum(spent.values()))
        return spent

    def _now(self) -> dict[str, float]:
        if not MEASURED:
            return {}
        seconds = {name: _cpu_seconds(pid) for name, pid in self._pids.items()}
        return {**seconds, BENCH: time.process_time(), MACHINE: _busy_seconds()}


def _cpu_seconds(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _busy_seconds() -> float:
    """CPU time of the whole machine: user, nice, system, irq, softirq."""
    fields = (PROC / "stat").read_text().split(maxsplit=8)
    return sum(int(fields[number]) for number in (1, 2, 3, 6, 7)) / _TICKS


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the third on: the second, the name, may hold blanks and brackets."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
