"""Runs the tools on the streams of a seed."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import groupby
from multiprocessing import get_context

from benchmarks.detection.alarms import Tool
from benchmarks.detection.driftline import driftline
from benchmarks.detection.evidently import evidently
from benchmarks.detection.nannyml import nannyml
from benchmarks.detection.real import car_loans, employment, flights
from benchmarks.detection.score import JudgedStream
from benchmarks.detection.stream import Stream
from benchmarks.detection.streams import simulated

TOOLS: Mapping[str, Tool] = {"driftline": driftline, "nannyml": nannyml, "evidently": evidently}
PROCESSES = 2
JudgedByLevel = Mapping[str, Sequence[JudgedStream]]


class Origin(StrEnum):
    """The origin of streams."""

    SIMULATED = "simulated"
    CONTROL = "control"
    REAL = "real"


MAKE: Mapping[Origin, Callable[[int], Iterator[Stream]]] = {
    Origin.SIMULATED: simulated,
    Origin.CONTROL: lambda seed: iter([employment(seed)]),
    Origin.REAL: lambda _: iter([flights(), car_loans()]),
}


@dataclass(frozen=True)
class BenchmarkJob:
    """Streams to create, and the names of the tools to run on them."""

    origin: Origin
    seed: int
    tools: tuple[str, ...]


def run_jobs(jobs: Sequence[BenchmarkJob]) -> Iterator[tuple[BenchmarkJob, JudgedByLevel]]:
    """Run the jobs in two processes, each on one core with low priority; yield each result when it is ready."""
    os.environ["OMP_NUM_THREADS"] = "1"  # the processes read it when they import numpy
    with get_context("spawn").Pool(PROCESSES, initializer=partial(os.nice, 10), maxtasksperchild=4) as pool:
        yield from pool.imap_unordered(_run, jobs)


def _run(job: BenchmarkJob) -> tuple[BenchmarkJob, JudgedByLevel]:
    judged: dict[str, list[JudgedStream]] = defaultdict(list)
    for _, sharing in groupby(MAKE[job.origin](job.seed), key=lambda stream: id(stream.reference)):
        streams = list(sharing)
        for name in job.tools:
            for stream, levels in zip(streams, TOOLS[name](streams), strict=True):
                for level, alarms in levels.items():
                    judged[level].append((stream.truth, alarms))
    return job, dict(judged)
