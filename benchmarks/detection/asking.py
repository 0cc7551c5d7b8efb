"""Asks the tools about the streams of a seed."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import groupby
from multiprocessing import get_context

from benchmarks.detection.evidently import evidently
from benchmarks.detection.nannyml import nannyml
from benchmarks.detection.ours import driftline
from benchmarks.detection.real import car_loans, employment, flights
from benchmarks.detection.said import Tool
from benchmarks.detection.score import Heard
from benchmarks.detection.stream import Stream
from benchmarks.detection.streams import simulated

TOOLS: Mapping[str, Tool] = {"driftline": driftline, "nannyml": nannyml, "evidently": evidently}
PROCESSES = 2
ByVoice = Mapping[str, Sequence[Heard]]


class Source(StrEnum):
    """Where streams come from."""

    SIMULATED = "simulated"
    CONTROL = "control"
    FOUND = "found"


MAKE: Mapping[Source, Callable[[int], Iterator[Stream]]] = {
    Source.SIMULATED: simulated,
    Source.CONTROL: lambda seed: iter([employment(seed)]),
    Source.FOUND: lambda _: iter([flights(), car_loans()]),
}


@dataclass(frozen=True)
class Job:
    """Streams to make, and the names of the tools to ask about them."""

    source: Source
    seed: int
    tools: tuple[str, ...]


def asked(jobs: Sequence[Job]) -> Iterator[tuple[Job, ByVoice]]:
    """Do the jobs in two processes, each on one core and low in priority; give each as it is done."""
    os.environ["OMP_NUM_THREADS"] = "1"  # the processes read it when they import numpy
    with get_context("spawn").Pool(PROCESSES, initializer=partial(os.nice, 10), maxtasksperchild=4) as pool:
        yield from pool.imap_unordered(_ask, jobs)


def _ask(job: Job) -> tuple[Job, ByVoice]:
    heard: dict[str, list[Heard]] = defaultdict(list)
    for _, sharing in groupby(MAKE[job.source](job.seed), key=lambda stream: id(stream.reference)):
        streams = list(sharing)
        for name in job.tools:
            for stream, voices in zip(streams, TOOLS[name](streams), strict=True):
                for voice, said in voices.items():
                    heard[voice].append((stream.truth, said))
    return job, dict(heard)
