"""Times two or more ways by turns, A B A B …, and says how their medians compare."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import median

Way = Callable[[], float]
"""Does the work once and gives the seconds that count."""


class Better(Enum):
    """Which side of its aim a ratio should be on."""

    HIGHER = "at least"
    LOWER = "at most"


@dataclass(frozen=True)
class Aim:
    """What a ratio should reach."""

    bound: float
    better: Better

    def reached(self, ratio: float) -> bool:
        """Whether the ratio is on the right side."""
        return ratio >= self.bound if self.better is Better.HIGHER else ratio <= self.bound


def timed(work: Callable[[], object]) -> float:
    """Give the seconds that `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def alternate(ways: Mapping[str, Way], runs: int, unmeasured: int = 1) -> dict[str, list[float]]:
    """Run the ways by turns, at first `unmeasured` times and then `runs` times; give each way's seconds."""
    for _ in range(unmeasured):
        for way in ways.values():
            way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            seconds[name].append(way())
    return seconds


def show(seconds: Mapping[str, Sequence[float]], rows: int = 0) -> None:
    """Print each way's median with its range, and rows per second where there are rows."""
    for name, taken in seconds.items():
        rate = f"{rows / median(taken):>12,.0f} rows/s" if rows else ""
        print(f"  {name:<44} {median(taken):8.3f} s  ({min(taken):.3f} to {max(taken):.3f}){rate}")


def share(ours: Sequence[float], bare: Sequence[float]) -> float:
    """Give our speed as a share of the bare one's: 1 is as fast."""
    return median(bare) / median(ours)


def times(ours: Sequence[float], bare: Sequence[float]) -> float:
    """Give how many times as long ours takes."""
    return median(ours) / median(bare)


def conclude(question: str, ratio: float, aim: Aim | None = None) -> None:
    """Print a ratio beside its aim."""
    verdict = "" if aim is None else f"   aim: {aim.better.value} {aim.bound:g}"
    if aim is not None and not aim.reached(ratio):
        verdict += "   FALLS SHORT"
    print(f"  => {question}: {ratio:.2f}{verdict}", flush=True)


def machine() -> str:
    """Name the machine's kind and how busy it is."""
    cores = sum(line.startswith("processor") for line in _lines("/proc/cpuinfo"))
    model = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "?")
    load = " ".join(_lines("/proc/loadavg")[0].split()[:3])
    return f"{cores} cores of {model}; load {load}"


def _lines(path: str) -> list[str]:
    with suppress(OSError):
        return Path(path).read_text().splitlines()
    return ["?"]
