"""What the engine does in a backtest: fits the reference, summarises chunk by chunk, judges. No I/O here."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd

from driftline.backtesting.chunking import Cut, of_reference
from driftline.backtesting.layout import Layout, renamed
from driftline.backtesting.places import ByNumber, ByPeriod, Places
from driftline.backtesting.result import BacktestChunk, Reference
from driftline.backtesting.split import Progress, Split
from driftline.backtesting.verdicts import Counted, Judge
from driftline.engine.chunks import Chunk
from driftline.engine.evaluate import finish_chunk, summarise_chunk
from driftline.engine.reference import FittedReference, fit_reference
from driftline.engine.results import LABEL, Result
from driftline.engine.running import Run
from driftline.engine.spec import ThresholdPolicy
from driftline.engine.states import Summary

THREADS = min(4, os.cpu_count() or 1)
"""How many chunks are summarised at a time."""
Judgement = Callable[[Split, Cut, Layout, Progress], tuple[Reference, tuple[BacktestChunk, ...]]]


def judge(rows: Split, cut: Cut, layout: Layout, progress: Progress) -> tuple[Reference, tuple[BacktestChunk, ...]]:
    """Fit the reference's rows and judge the chunks of the analysis, oldest first."""
    progress("fitting the reference", 0)
    places = _places(cut, rows, layout)
    with ThreadPoolExecutor(THREADS) as pool:
        sizes = _reference_sizes(cut, rows, layout)
        fitted = fit_reference(layout.shape(rows.reference), layout.spec, sizes, pool.map)
        parts = _parts(rows, layout, places, fitted, pool.map, progress)
    counted = _counted(parts, layout, places, fitted)
    chunks = tuple(Judge(layout.judged, places, rows.newest).judge(counted))
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


def _counted(parts: "dict[Chunk, _Part]", layout: Layout, places: Places, fitted: FittedReference) -> Iterator[Counted]:
    """Yield each chunk with its results, oldest first; what is done with is let go."""
    for chunk in places.all(tuple(parts)):
        part = parts.pop(chunk, None)
        if part is None:
            yield Counted(chunk)
            continue
        found = finish_chunk(fitted, layout.spec, part.summary, chunk)
        yield Counted(chunk, part.summary.rows, part.labelled, _said(found, layout))


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    summary: Summary
    labelled: int

    def merge(self, other: "_Part") -> "_Part":
        return _Part(self.summary.merge(other.summary), self.labelled + other.labelled)


def _parts(
    rows: Split, layout: Layout, places: Places, fitted: FittedReference, run: Run, progress: Progress
) -> dict[Chunk, _Part]:
    """Summarise all chunks, several at a time; a chunk that comes in several blocks is merged."""

    def summarised(some: tuple[Chunk, pd.DataFrame]) -> tuple[Chunk, _Part]:
        chunk, frame = some
        return chunk, _Part(summarise_chunk(fitted, layout.spec, frame), int(frame[LABEL].notna().sum()))

    parts: dict[Chunk, _Part] = {}
    for block in rows.analysis():
        for chunk, part in run(summarised, places.split(block, layout.shape(block))):
            parts[chunk] = parts[chunk].merge(part) if chunk in parts else part
            progress("summarising", part.summary.rows)
    return parts


def _said(results: tuple[Result, ...], layout: Layout) -> tuple[Result, ...]:
    """Leave out results about columns that are not there, and name the others as the data does."""
    absent = layout.absent
    return tuple(renamed(result, layout) for result in results if result.subject not in absent)
