"""The processor time of the processes of a run, by their part."""

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

PARTS = {
    "mariadbd": "MariaDB",
    "kafka.Kafka": "Kafka",
    "benchmarks.live.feed": "simulator",
    "org.apache.spark": "Spark",
    "pyspark": "Spark's Python",
}
"""What is in a process's command, by priority, and its part; the rest is this program."""
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds() -> Mapping[str, float]:
    """Return the seconds that this process and its descendants have used, by part."""
    stats = {int(path.name): _stat(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    parents = {pid: int(stat[1]) for pid, stat in stats.items() if stat}
    seconds: defaultdict[str, float] = defaultdict(float)
    for pid in parents:
        if _descends(pid, parents):
            seconds[_part(pid)] += (int(stats[pid][11]) + int(stats[pid][12])) / TICKS
    return seconds


def _stat(pid: int) -> list[str]:
    """Return the fields of a process's state after its name, none if it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _descends(pid: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != os.getpid():
        pid = parents[pid]
    return pid == os.getpid()


def _part(pid: int) -> str:
    command = ""
    with suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_text()
    return next((part for text, part in PARTS.items() if text in command), "this program")
