"""Fits the reference, evaluates chunk by chunk, and derives verdicts. No I/O here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import pandas as pd

from driftline.backtesting.execution.assignment import ByPeriod, ByRowNumber, ChunkAssignment
from driftline.backtesting.execution.compaction import Compaction
from driftline.backtesting.execution.verdicts import derive_verdicts
from driftline.backtesting.execution.workers import choose_map
from driftline.backtesting.input.rows import Rows
from driftline.backtesting.input.split import Progress, Split
from driftline.backtesting.request.chunking import Cut, cut_of_reference
from driftline.backtesting.request.layout import Layout
from driftline.backtesting.request.subjects import rename_result
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.frames.stray_values import StrayValues
from driftline.engine.spec import ThresholdPolicy
from driftline.engine.tasks import Map
from driftline.monitor import ChunkSummary, EvaluatedChunk, FittedMonitor
from driftline.report.document.content import ReferenceSummary
from driftline.report.view import ChunkView

Strays = Mapping[str, StrayValues]
"""The values that are not numbers, by numeric column."""
Evaluation = tuple[ReferenceSummary, tuple[ChunkView, ...], Strays]


class Evaluate(Protocol):
    """The type of `evaluate` for modules that import it late."""

    def __call__(self, rows: Split, cut: Cut, layout: Layout, progress: Progress, *, forks: bool) -> Evaluation:
        """Evaluate the chunks."""


def evaluate(rows: Split, cut: Cut, layout: Layout, progress: Progress, *, forks: bool = False) -> Evaluation:
    """Fit the reference and evaluate the chunks of the analysis, oldest first; `forks` is that of `choose_map`."""
    parallel_map = choose_map(len(rows.reference) + len(rows.times), forks=forks)
    progress("fitting the reference", 0)
    assignment = _assignment(cut, rows, layout)
    sizes = _reference_sizes(cut, rows, layout)
    fitted = fit_reference(layout.shape(rows.reference), layout.spec, sizes, parallel_map)
    monitor = FittedMonitor(layout.spec, fitted)
    evaluator = _Evaluator(monitor, layout, layout.strays(rows.reference))
    compact = Compaction().compact
    evaluated = {
        chunk.chunk: compact(chunk) for chunk in _evaluate_chunks(rows, assignment, evaluator, parallel_map, progress)
    }
    in_order = (evaluated.get(chunk, EvaluatedChunk(chunk)) for chunk in assignment.all(tuple(evaluated)))
    chunks = tuple(derive_verdicts(layout.verdict_spec, fitted.evidence, assignment, rows.newest, in_order))
    length = None if cut.period else (fitted.until - fitted.since) / fitted.chunks
    reference = ReferenceSummary(
        rows=fitted.rows,
        since=fitted.since,
        until=fitted.until,
        chunks=fitted.chunks,
        visible_changes=monitor.visible_changes(length),
        proposed_period=monitor.proposed_period(length),
        no_evidence=monitor.no_evidence,
    )
    return reference, chunks, evaluator.strays


def _assignment(cut: Cut, rows: Split, layout: Layout) -> ChunkAssignment:
    if cut.period:
        return ByPeriod(cut.period, layout.spec.zone, rows.until)
    sizes = cut.sizes(len(rows.times))
    open_last = cut.rows is not None and sizes[-1] < cut.rows
    return ByRowNumber.of(rows.times, rows.numbers, sizes, open_last=open_last)


def _reference_sizes(cut: Cut, rows: Split, layout: Layout) -> tuple[int, ...] | None:
    """Return the sizes of the reference's chunks: equal to the analysis's, or by NannyML's policy as many as there."""
    if cut.period:
        return None
    as_many = layout.spec.thresholds is ThresholdPolicy.NANNYML
    total = len(rows.reference)
    return (cut if as_many else cut_of_reference(cut, total, cut.sizes(len(rows.times)))).sizes(total)


ChunkRows = tuple[Chunk, pd.DataFrame]
"""A chunk, and some or all of its rows with the engine's columns."""
ChunkPart = tuple[Chunk, ChunkSummary]
"""A chunk, and the summary of some or all of its rows."""


@dataclass(frozen=True, slots=True, eq=False)
class _Evaluator:
    """Computes the results of a chunk from its rows, in one step or in two; counts the stray values of all rows."""

    monitor: FittedMonitor
    layout: Layout
    strays: dict[str, StrayValues]

    def shape(self, rows: Rows) -> pd.DataFrame:
        """Return rows of the analysis with the engine's columns, and count their stray values."""
        for name, values in self.layout.strays(rows).items():
            self.strays[name] = self.strays[name].merge(values) if name in self.strays else values
        return self.layout.shape(rows)

    def summarize(self, part: ChunkRows) -> ChunkPart:
        chunk, frame = part
        return chunk, self.monitor.summarize(frame)

    def finish(self, part: ChunkPart) -> EvaluatedChunk:
        """Compute the results under the data's names, without those of absent columns."""
        chunk, summary = part
        evaluated = self.monitor.finish(summary, chunk.start, chunk.end)
        absent = self.layout.absent
        present = (result for result in evaluated.results if result.subject not in absent)
        results = tuple(rename_result(result, self.layout) for result in present)
        return replace(evaluated, results=results)

    def evaluate(self, part: ChunkRows) -> EvaluatedChunk:
        return self.finish(self.summarize(part))


def _evaluate_chunks(
    rows: Split, assignment: ChunkAssignment, evaluator: _Evaluator, parallel_map: Map, progress: Progress
) -> Iterator[EvaluatedChunk]:
    """Yield the results of the chunks that have rows, several computed in parallel."""
    if rows.analysis_rows is None:
        yield from _block_by_block(rows, assignment, evaluator, parallel_map, progress)
        return
    parts = assignment.split(rows.analysis_rows, evaluator.shape(rows.analysis_rows))
    for evaluated in parallel_map(evaluator.evaluate, parts):
        progress("summarizing", evaluated.rows)
        yield evaluated


def _block_by_block(
    rows: Split, assignment: ChunkAssignment, evaluator: _Evaluator, parallel_map: Map, progress: Progress
) -> Iterator[EvaluatedChunk]:
    """Evaluate each chunk when its last row has been read; only summaries of incomplete chunks are held."""
    sizes = assignment.sizes(rows.times, rows.numbers)
    summaries: dict[Chunk, ChunkSummary] = {}

    def compute(part: ChunkRows) -> EvaluatedChunk | ChunkPart:
        chunk, frame = part
        return evaluator.evaluate(part) if len(frame) == sizes[chunk] else evaluator.summarize(part)

    for block in rows.analysis():
        for computed in parallel_map(compute, assignment.split(block, evaluator.shape(block))):
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
