"""Measure which drifts each tool detects with its defaults, how soon, and how many alarms are false.

    python -m benchmarks.detection --seeds 100:104
    python -m benchmarks.detection --seeds 100:101 --tool evidently     # minutes a seed; makes its environment first

Seeds below 100 are for tuning the default policy; figures are of seeds from 100 on.
"""

import argparse
import sys
import time
from collections import defaultdict
from itertools import chain

from benchmarks.detection.evidently import install
from benchmarks.detection.runs import TOOLS, BenchmarkJob, JudgedByLevel, Origin, run_jobs
from benchmarks.detection.score import JudgedStream
from benchmarks.detection.tables import by_chunk, by_drift, by_level


def main() -> None:
    """Run the tools on the streams of every seed and print the tables."""
    options = _arguments()
    if "evidently" in (options.tool or ()):
        install()
    began = time.monotonic()
    judged_by_origin: dict[Origin, dict[str, list[JudgedStream]]] = defaultdict(lambda: defaultdict(list))
    for job, judged in run_jobs(_jobs(options)):
        for level, streams in judged.items():
            judged_by_origin[job.origin][level] += streams
        print(f"{time.monotonic() - began:5.0f} s: {job.origin}, seed {job.seed}", file=sys.stderr, flush=True)
    simulated = judged_by_origin[Origin.SIMULATED]
    real = _merged(judged_by_origin[Origin.REAL], judged_by_origin[Origin.CONTROL])
    print(by_level(simulated), by_drift(simulated), sep="\n\n")
    if real:
        print("", by_chunk(real), sep="\n")


def _merged(*parts: JudgedByLevel) -> JudgedByLevel:
    levels = dict.fromkeys(chain.from_iterable(parts))
    return {level: [stream for part in parts for stream in part.get(level, ())] for level in levels}


def _jobs(options: argparse.Namespace) -> list[BenchmarkJob]:
    first, end = (int(part) for part in options.seeds.split(":"))
    tools = tuple(options.tool or ["driftline", "nannyml"])
    sources = [Origin.SIMULATED] if options.simulated_only else [Origin.SIMULATED, Origin.CONTROL]
    jobs = [BenchmarkJob(source, seed, tools) for seed in range(first, end) for source in sources]
    return jobs if options.simulated_only else [*jobs, BenchmarkJob(Origin.REAL, first, tools)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:103", metavar="FIRST:END", help="END is not included")
    parser.add_argument("--tool", action="append", choices=TOOLS, help="may be given again; default: the first two")
    parser.add_argument("--simulated-only", action="store_true", help="leave the real data out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
