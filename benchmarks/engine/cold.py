"""From a file to all numbers, in one process each: a reference, then the rows of the analysis in chunks of a day.

python -m benchmarks.engine.cold [--case hundreds]  # five minutes; hundreds of categories: more
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.engine.processes import Timing, backtest, peak, run, script
from benchmarks.engine.rows import LARGE_SIZES, SIZES, write
from benchmarks.measuring import Better, RatioTarget, conclude, machine, show


@dataclass(frozen=True)
class ReadingCase:
    """The rows of the reference and of the analysis, its chunks, and the numbers of categories of features."""

    reference: int
    analysis: int
    chunks: int
    sizes: tuple[int, ...]


CASES = {
    "few": ReadingCase(500_000, 1_000_000, 100, SIZES),
    "hundreds": ReadingCase(700_000, 2_000_000, 126, LARGE_SIZES),
}
"""By how many categories the text columns have."""
FASTER, LIGHTER = RatioTarget(15, Better.HIGHER), RatioTarget(0.5, Better.LOWER)
ENGINE, BACKTEST, NANNYML = "the engine, called from a script", "driftline backtest", "a NannyML script"


def main() -> None:
    """Print the ratios."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--case", choices=CASES, default="few", help="how many categories text columns have")
    arguments = options.parse_args()
    runs, case = arguments.runs, CASES[arguments.case]
    print(
        f"{case.reference:,} reference rows and {case.analysis:,} rows in {case.chunks} chunks ({machine()})",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        commands = _commands(case, Path(folder))
        peaks = {name: peak(command) for name, command in commands.items()}  # their first run, which is not timed
        timings = _timings(commands, runs)
    for part in ("read", "compute", "whole"):
        print(f"  {part}:")
        show(
            {
                name: [getattr(run, part) for run in runs]
                for name, runs in timings.items()
                if part == "whole" or name != BACKTEST
            }
        )
    for part, name, target in (("compute", ENGINE, FASTER), ("whole", ENGINE, None), ("whole", BACKTEST, FASTER)):
        ratio = _median(timings[NANNYML], part) / _median(timings[name], part)
        conclude(f"{name}, {part}: times faster than NannyML", ratio, target)
    for name in (ENGINE, BACKTEST):
        bytes_used, nannyml = peaks[name], peaks[NANNYML]
        conclude(
            f"{name}: share of NannyML's peak memory ({bytes_used:,.0f} of {nannyml:,.0f} MiB)",
            bytes_used / nannyml,
            LIGHTER,
        )


def _commands(case: ReadingCase, folder: Path) -> dict[str, tuple[str, ...]]:
    path = folder / "rows.parquet"
    until = write(path, case.reference, case.analysis, case.chunks, case.sizes)
    arguments = (str(path), until, str(folder / "results.json"))
    return {
        ENGINE: script("benchmarks.engine.driftline_process", *arguments),
        BACKTEST: backtest(path, until, folder),
        NANNYML: script("benchmarks.engine.nannyml_process", *arguments),
    }


def _timings(commands: Mapping[str, Sequence[str]], runs: int) -> dict[str, list[Timing]]:
    timings: dict[str, list[Timing]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            timings[name].append(run(command))
    return timings


def _median(timings: list[Timing], part: str) -> float:
    return float(median(getattr(run, part) for run in timings))


if __name__ == "__main__":
    main()
