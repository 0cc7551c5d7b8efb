"""What the engine does in a backtest: fits the reference, evaluates chunk by chunk, derives verdicts. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import pandas as pd

from driftline.backtesting.execution.compaction import Compaction
from driftline.backtesting.execution.places import ByNumber, ByPeriod, Places
from driftline.backtesting.execution.verdicts import derive_verdicts
from driftline.backtesting.execution.workers import workers
from driftline.backtesting.input.rows import Rows
from driftline.backtesting.input.split import Progress, Split
from driftline.backtesting.output.result import Reference
from driftline.backtesting.request.chunking import Cut, of_reference
from driftline.backtesting.request.layout import Layout
from driftline.backtesting.request.subjects import renamed
from driftline.engine.chunks import Chunk
from driftline.engine.reference import fit_reference
from driftline.engine.spec import ThresholdPolicy
from driftline.engine.stray_values import StrayValues
from driftline.engine.tasks import Map
from driftline.monitor import ChunkSummary, EvaluatedChunk, FittedMonitor
from driftline.report.view import ChunkView

Strays = Mapping[str, StrayValues]
"""The values that are not numbers, by the column of numbers that has them."""
Evaluation = tuple[Reference, tuple[ChunkView, ...], Strays]


class Evaluate(Protocol):
    """The type of `evaluate` for modules that import it late."""

    def __call__(self, rows: Split, cut: Cut, layout: Layout, progress: Progress, *, forks: bool) -> Evaluation:
        """Evaluate the chunks."""


def evaluate(rows: Split, cut: Cut, layout: Layout, progress: Progress, *, forks: bool = False) -> Evaluation:
    """Fit the reference and evaluate the chunks of the analysis, oldest first; `forks` as in `workers`."""
    spread = workers(len(rows.reference) + len(rows.times), forks=forks)
    progress("fitting the reference", 0)
    places = _places(cut, rows, layout)
    sizes = _reference_sizes(cut, rows, layout)
    fitted = fit_reference(layout.shape(rows.reference), layout.spec, sizes, spread)
    monitor = FittedMonitor(layout.spec, fitted)
    evaluator = _Evaluator(monitor, layout, layout.strays(rows.reference))
    compact = Compaction().compact
    evaluated = {chunk.chunk: compact(chunk) for chunk in _evaluated(rows, places, evaluator, spread, progress)}
    every = (evaluated.get(chunk, EvaluatedChunk(chunk)) for chunk in places.all(tuple(evaluated)))
    chunks = tuple(derive_verdicts(layout.verdict_spec, fitted.evidence, places, rows.newest, every))
    length = None if cut.period else (fitted.until - fitted.since) / fitted.chunks
    visible, proposed = monitor.visible_changes(length), monitor.proposed_period(length)
    reference = Reference(fitted.rows, fitted.since, fitted.until, fitted.chunks, visible, proposed)
    return reference, chunks, evaluator.strays


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


ChunkRows = tuple[Chunk, pd.DataFrame]
"""A chunk, and some or all of its rows as the engine takes them."""
ChunkPart = tuple[Chunk, ChunkSummary]
"""A chunk, and the summary of some or all of its rows."""


@dataclass(frozen=True, slots=True, eq=False)
class _Evaluator:
    """From the rows of a chunk to its results, in one step or in two; counts the stray values of all rows."""

    monitor: FittedMonitor
    layout: Layout
    strays: dict[str, StrayValues]

    def shape(self, rows: Rows) -> pd.DataFrame:
        """Return rows of the analysis as the engine takes them."""
        for name, values in self.layout.strays(rows).items():
            self.strays[name] = self.strays[name].merge(values) if name in self.strays else values
        return self.layout.shape(rows)

    def summarize(self, part: ChunkRows) -> ChunkPart:
        chunk, frame = part
        return chunk, self.monitor.summarize(frame)

    def finish(self, part: ChunkPart) -> EvaluatedChunk:
        """Compute the results; leave out columns that are absent, and name the others as the data does."""
        chunk, summary = part
        evaluated = self.monitor.finish(summary, chunk.start, chunk.end)
        absent = self.layout.absent
        results = tuple(renamed(result, self.layout) for result in evaluated.results if result.subject not in absent)
        return replace(evaluated, results=results)

    def evaluate(self, part: ChunkRows) -> EvaluatedChunk:
        return self.finish(self.summarize(part))


def _evaluated(
    rows: Split, places: Places, evaluator: _Evaluator, spread: Map, progress: Progress
) -> Iterator[EvaluatedChunk]:
    """Yield the results of the chunks that have rows, several computed at a time."""
    if rows.analysis_rows is None:
        yield from _block_by_block(rows, places, evaluator, spread, progress)
        return
    for evaluated in spread(evaluator.evaluate, places.split(rows.analysis_rows, evaluator.shape(rows.analysis_rows))):
        progress("summarizing", evaluated.rows)
        yield evaluated


def _block_by_block(
    rows: Split, places: Places, evaluator: _Evaluator, spread: Map, progress: Progress
) -> Iterator[EvaluatedChunk]:
    """Evaluate each chunk with the block that has its last row; only chunks of which rows are to come are held."""
    sizes = places.sizes(rows.times, rows.numbers)
    summaries: dict[Chunk, ChunkSummary] = {}

    def compute(part: ChunkRows) -> EvaluatedChunk | ChunkPart:
        chunk, frame = part
        return evaluator.evaluate(part) if len(frame) == sizes[chunk] else evaluator.summarize(part)

    for block in rows.analysis():
        for computed in spread(compute, places.split(block, evaluator.shape(block))):
            if isinstance(computed, EvaluatedChunk):
                progress("summarizing", computed.rows)
                yield computed
                continue
            chunk, summary = computed
            progress("summarizing", summary.rows)
            merged = summaries.pop(chunk).merge(summary) if chunk in summaries else summary
            if merged.rows == sizes[chunk]:
                yield evaluator.finish((chunk, merged))
            else:
                summaries[chunk] = merged
