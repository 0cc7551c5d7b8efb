"""Times two or more variants alternately, A B A B …, and compares their medians."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import median

Variant = Callable[[], float]
"""Does the work once and returns the measured seconds."""


class Better(Enum):
    """The side of its target on which a ratio should be."""

    HIGHER = "at least"
    LOWER = "at most"


@dataclass(frozen=True)
class RatioTarget:
    """The target of a ratio."""

    bound: float
    better: Better

    def is_met(self, ratio: float) -> bool:
        """Return whether the ratio meets the target."""
        return ratio >= self.bound if self.better is Better.HIGHER else ratio <= self.bound


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def alternate(variants: Mapping[str, Variant], runs: int, unmeasured: int = 1) -> dict[str, list[float]]:
    """Run the variants alternately, first `unmeasured` times and then `runs` times; return each variant's seconds."""
    for _ in range(unmeasured):
        for variant in variants.values():
            variant()
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(runs):
        for name, variant in variants.items():
            seconds[name].append(variant())
    return seconds


def show(seconds: Mapping[str, Sequence[float]], rows: int = 0) -> None:
    """Print each variant's median with its range, and rows per second where there are rows."""
    for name, durations in seconds.items():
        rate = f"{rows / median(durations):>12,.0f} rows/s" if rows else ""
        print(f"  {name:<44} {median(durations):8.3f} s  ({min(durations):.3f} to {max(durations):.3f}){rate}")


def share(measured: Sequence[float], baseline: Sequence[float]) -> float:
    """Return the speed of `measured` relative to the baseline: 1 is as fast."""
    return median(baseline) / median(measured)


def times(measured: Sequence[float], baseline: Sequence[float]) -> float:
    """Return the time of `measured` relative to the baseline."""
    return median(measured) / median(baseline)


def conclude(question: str, ratio: float, target: RatioTarget | None = None) -> None:
    """Print a ratio and its target."""
    verdict = "" if target is None else f"   target: {target.better.value} {target.bound:g}"
    if target is not None and not target.is_met(ratio):
        verdict += "   FALLS SHORT"
    print(f"  => {question}: {ratio:.2f}{verdict}", flush=True)


def machine() -> str:
    """Return the machine's processor and its load."""
    cores = sum(line.startswith("processor") for line in _lines("/proc/cpuinfo"))
    model = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "?")
    load = " ".join(_lines("/proc/loadavg")[0].split()[:3])
    return f"{cores} cores of {model}; load {load}"


def _lines(path: str) -> list[str]:
    with suppress(OSError):
        return Path(path).read_text().splitlines()
    return ["?"]
