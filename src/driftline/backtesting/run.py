"""A backtest from its source to its result: read, fit the reference, summarise chunk by chunk, judge."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pandas as pd

from driftline.backtesting.asked import read_request
from driftline.backtesting.chunking import Cut, of_reference
from driftline.backtesting.judging import Counted, Judge
from driftline.backtesting.layout import Layout, layout_of, renamed
from driftline.backtesting.places import ByNumber, ByPeriod, Places
from driftline.backtesting.proposal import propose_chunk, propose_until
from driftline.backtesting.request import Request
from driftline.backtesting.result import BacktestResult, Reference
from driftline.backtesting.sources import Source
from driftline.backtesting.split import Progress, Split, split
from driftline.engine.chunks import Chunk
from driftline.engine.evaluate import finish_chunk, summarise_chunk
from driftline.engine.reference import FittedReference, fit_reference
from driftline.engine.results import LABEL, Result
from driftline.engine.running import Run
from driftline.engine.spec import ThresholdPolicy
from driftline.engine.states import Summary

THREADS = min(4, os.cpu_count() or 1)
"""How many chunks are summarised at a time."""


def run(source: Source, request: Request, progress: Progress = lambda doing, rows: None) -> BacktestResult:
    """Judge what `source` holds as `request` asks; every fault that can be seen at once is in one InvalidInput."""
    asked = read_request(request, source.columns)
    if asked.until is None:
        raise propose_until(source, asked)
    rows = split(source, asked, asked.until, progress)
    cut, told = propose_chunk(asked, rows.reference)
    layout = layout_of(asked, rows.reference, _settled(asked.fields, cut))
    progress("fitting the reference", 0)
    places = _places(cut, rows, layout)
    with ThreadPoolExecutor(THREADS) as pool:
        sizes = _reference_sizes(cut, rows, layout)
        fitted = fit_reference(layout.shape(rows.reference), layout.spec, sizes, pool.map)
        parts = _parts(rows, layout, places, fitted, pool.map, progress)
    counted = _counted(parts, layout, places, fitted)
    return BacktestResult(
        model=_printable(request.name or source.name),
        reference=Reference(fitted.rows, fitted.since, fitted.until, fitted.chunks),
        chunks=tuple(Judge(layout.judged, places, rows.newest).judge(counted)),
        chunk=cut.text,
        inferred=(*told, *layout.inferred),
        spec=layout.spec,
    )


def _printable(name: str) -> str:
    """Return a name that UTF-8 can write: bytes that are no text, which a file's name may have, become a ?."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _settled(fields: Any, cut: Cut) -> dict[str, Any]:
    """Return the spec's fields with the period that rows are cut by, if they are."""
    others = {name: value for name, value in fields.items() if name != "period"}
    return others | ({"period": cut.period} if cut.period else {})


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
