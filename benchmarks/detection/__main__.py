"""Which drifts are found, how soon, and how often an alarm is false, by the defaults of Driftline and of others.

    python -m benchmarks.detection --seeds 100:104
    python -m benchmarks.detection --seeds 100:101 --tool evidently     # minutes a seed; makes its environment first

Seeds below 100 are for tuning the default policy; figures are of seeds from 100 on.
"""

import argparse
import sys
import time
from collections import defaultdict
from itertools import chain

from benchmarks.detection.asking import TOOLS, ByVoice, Job, Source, asked
from benchmarks.detection.evidently import install
from benchmarks.detection.score import Heard
from benchmarks.detection.tables import by_chunk, by_drift, by_voice


def main() -> None:
    """Ask the tools about every seed's streams, then print the tables."""
    given = _arguments()
    if "evidently" in (given.tool or ()):
        install()
    began = time.monotonic()
    found: dict[Source, dict[str, list[Heard]]] = defaultdict(lambda: defaultdict(list))
    for job, heard in asked(_jobs(given)):
        for voice, own in heard.items():
            found[job.source][voice] += own
        print(f"{time.monotonic() - began:5.0f} s: {job.source}, seed {job.seed}", file=sys.stderr, flush=True)
    simulated, real = found[Source.SIMULATED], _merged(found[Source.FOUND], found[Source.CONTROL])
    print(by_voice(simulated), by_drift(simulated), sep="\n\n")
    if real:
        print("", by_chunk(real), sep="\n")


def _merged(*parts: ByVoice) -> ByVoice:
    voices = dict.fromkeys(chain.from_iterable(parts))
    return {voice: [one for part in parts for one in part.get(voice, ())] for voice in voices}


def _jobs(given: argparse.Namespace) -> list[Job]:
    first, end = (int(part) for part in given.seeds.split(":"))
    tools = tuple(given.tool or ["driftline", "nannyml"])
    sources = [Source.SIMULATED] if given.simulated_only else [Source.SIMULATED, Source.CONTROL]
    jobs = [Job(source, seed, tools) for seed in range(first, end) for source in sources]
    return jobs if given.simulated_only else [*jobs, Job(Source.FOUND, first, tools)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100:103", metavar="FIRST:END", help="END is not included")
    parser.add_argument("--tool", action="append", choices=TOOLS, help="may be given again; default: the first two")
    parser.add_argument("--simulated-only", action="store_true", help="leave the real data out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
