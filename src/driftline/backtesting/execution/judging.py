"""What the engine does in a backtest: fits the reference, summarizes chunk by chunk, judges. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from driftline.backtesting.execution.places import ByNumber, ByPeriod, Places
from driftline.backtesting.execution.verdicts import Counted, Judge
from driftline.backtesting.execution.workers import workers
from driftline.backtesting.input.split import Progress, Split
from driftline.backtesting.output.result import Reference
from driftline.backtesting.request.chunking import Cut, of_reference
from driftline.backtesting.request.layout import Layout, renamed
from driftline.engine.chunks import Chunk
from driftline.engine.evaluate import finish_chunk, summarize_chunk
from driftline.engine.fitted_methods import Summary
from driftline.engine.reference import FittedReference, fit_reference
from driftline.engine.results import LABEL, Result
from driftline.engine.spec import ThresholdPolicy
from driftline.engine.tasks import Map
from driftline.report.view import ChunkView

Judged = tuple[Reference, tuple[ChunkView, ...]]


class Judgement(Protocol):
    """What `judge` is to those that import it late."""

    def __call__(self, rows: Split, cut: Cut, layout: Layout, progress: Progress, *, forks: bool) -> Judged:
        """Judge the chunks."""


def judge(rows: Split, cut: Cut, layout: Layout, progress: Progress, *, forks: bool = False) -> Judged:
    """Fit the reference's rows and judge the chunks of the analysis, oldest first; `forks` as in `workers`."""
    run = workers(len(rows.reference) + len(rows.times), forks=forks)
    progress("fitting the reference", 0)
    places = _places(cut, rows, layout)
    sizes = _reference_sizes(cut, rows, layout)
    fitted = fit_reference(layout.shape(rows.reference), layout.spec, sizes, run)
    found = {one.chunk: one for one in _counted(rows, places, _Counting(fitted, layout), run, progress)}
    every = (found.get(chunk, Counted(chunk)) for chunk in places.all(tuple(found)))
    chunks = tuple(Judge(layout.judged, places, rows.newest).judge(every))
    return Reference(fitted.rows, fitted.since, fitted.until, fitted.chunks), chunks


def _places(cut: Cut, rows: Split, layout: Layout) -> Places:
    if cut.period:
        return ByPeriod(cut.period, layout.spec.zone, rows.until)
    sizes = cut.sizes(len(rows.times))
    open_last = cut.rows is not None and sizes[-1] < cut.rows
    return ByNumber.of(rows.times, rows.numbers, sizes, open_last=open_last)


def _reference_sizes(cut: Cut, rows: Split, layout: Layout) -> tuple[int, ...] | None:
    """Cut the reference into chunks as large as the analysis has; by NannyML's policy into as many."""
    if cut.period:
        return None
    as_many = layout.spec.thresholds is ThresholdPolicy.NANNYML
    total = len(rows.reference)
    return (cut if as_many else of_reference(cut, total, cut.sizes(len(rows.times)))).sizes(total)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some or all rows of a chunk, summarized."""

    chunk: Chunk
    summary: Summary
    labelled: int

    def merge(self, other: "_Part") -> "_Part":
        return _Part(self.chunk, self.summary.merge(other.summary), self.labelled + other.labelled)


@dataclass(frozen=True, slots=True, eq=False)
class _Counting:
    """From the rows of a chunk to its numbers, in one step or in two."""

    fitted: FittedReference
    layout: Layout

    def summarized(self, some: tuple[Chunk, pd.DataFrame]) -> _Part:
        chunk, frame = some
        summary = summarize_chunk(self.fitted, self.layout.spec, frame)
        return _Part(chunk, summary, int(frame[LABEL].notna().sum()))

    def finished(self, part: _Part) -> Counted:
        results = finish_chunk(self.fitted, self.layout.spec, part.summary, part.chunk)
        return Counted(part.chunk, part.summary.rows, part.labelled, _said(results, self.layout))

    def counted(self, some: tuple[Chunk, pd.DataFrame]) -> Counted:
        return self.finished(self.summarized(some))


def _counted(rows: Split, places: Places, counting: _Counting, run: Map, progress: Progress) -> Iterator[Counted]:
    """Yield the numbers of the chunks that have rows, several computed at a time."""
    if rows.kept is None:
        parts = _parts(rows, places, counting, run, progress)
        yield from run(counting.finished, (parts.pop(chunk) for chunk in tuple(parts)))
        return
    for counted in run(counting.counted, places.split(rows.kept, counting.layout.shape(rows.kept))):
        progress("summarizing", counted.rows)
        yield counted


def _parts(rows: Split, places: Places, counting: _Counting, run: Map, progress: Progress) -> dict[Chunk, _Part]:
    """Summarize block by block; what a chunk has in several is merged."""
    parts: dict[Chunk, _Part] = {}
    for block in rows.analysis():
        for part in run(counting.summarized, places.split(block, counting.layout.shape(block))):
            parts[part.chunk] = parts[part.chunk].merge(part) if part.chunk in parts else part
            progress("summarizing", part.summary.rows)
    return parts


def _said(results: tuple[Result, ...], layout: Layout) -> tuple[Result, ...]:
    """Leave out results about columns that are not there, and name the others as the data does."""
    absent = layout.absent
    return tuple(renamed(result, layout) for result in results if result.subject not in absent)
