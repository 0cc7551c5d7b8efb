"""The monitor as Python objects: fit a reference once, then evaluate chunk after chunk. No I/O here.

Where rows arrive in parts, on one machine or many, each part is summarized, the summaries are merged, and the chunk is
finished from the merged summary: the results are the same as those of all rows at once.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Self
from zoneinfo import ZoneInfo

import pandas as pd

from driftline.engine.calendar import MEAN_CHUNK, closing_time, label_deadline
from driftline.engine.chunking.chunks import Chunk, chunk_of, split_by_chunk
from driftline.engine.chunking.event_times import with_plain_times
from driftline.engine.computation.fitted_methods import Summary, require
from driftline.engine.evaluation.evaluate import count_scores, finish_chunk, summarize_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.evidence.chunk_evidence import YEAR
from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.evidence.visible_change import VisibleChange, proposed_length, visible_changes
from driftline.engine.minimum_rows import lowered_minimum
from driftline.engine.performance.scores import require_probabilities
from driftline.engine.results import EVENT_TIME, ID, LABEL, Result, Verdict
from driftline.engine.spec import Period, Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.consecutive import consecutive_verdicts
from driftline.engine.verdicts.evidence_rule import alert_rule
from driftline.errors import InvalidInput
from driftline.notebook import html_table
from driftline.spec_input import SpecLike, spec_of, stored_spec


class Monitor:
    """Monitors a model according to a spec: `fit` it on a reference, then evaluate chunks.

    `spec` is a typed `Spec`, a mapping of its fields, or the path of a YAML file. Raises one InvalidInput that lists
    every fault of the spec.

    >>> import numpy as np
    >>> import pandas as pd
    >>> import driftline as dl
    >>> def scored(start, usage, rows=2_000, days=10):
    ...     rng = np.random.default_rng(7)
    ...     score = rng.uniform(size=rows)
    ...     return pd.DataFrame({
    ...         "event_time": pd.date_range(start, periods=rows, freq=f"{days * 86_400 // rows}s", tz="UTC"),
    ...         "id": np.arange(rows),
    ...         "usage": rng.normal(usage, 2, rows),
    ...         "probability_1": score,
    ...         "prediction": score >= 0.5,
    ...         "label": rng.uniform(size=rows) < score,
    ...     })
    >>> fitted = dl.Monitor({"columns": ["usage"]}).fit(scored("2026-01-01", usage=10))
    >>> chunks = list(fitted.evaluate_chunks(scored("2026-02-01", usage=14, rows=600, days=3)))
    >>> [str(verdict.state) for verdict in fitted.verdicts(chunks)]
    ['ok', 'warn', 'warn']
    >>> fitted.verdicts(chunks)[-1].drifted
    ('usage',)

    """

    def __init__(self, spec: SpecLike) -> None:
        self.spec = spec_of(spec)

    def __repr__(self) -> str:
        return f"Monitor({self.spec.problem} model with {len(self.spec.columns)} features)"

    def _repr_html_(self) -> str:
        """Return a table of the main fields of the spec, as notebooks show it."""
        return html_table(repr(self), ("field", "value"), _main_fields(self.spec))

    def fit(self, reference: pd.DataFrame, *, chunk_sizes: Sequence[int] | None = None) -> "FittedMonitor":
        """Fit every method of the spec on the reference; the monitor itself is not changed.

        `reference` has columns `event_time` (aware), `id`, the spec's features and the outputs: `prediction`, `label`
        (missing where it is not known) and the scores. A binary model has predictions and labels 0 or 1, and the score
        `probability_1`; a multiclass model has its classes, and a score `probability_<class>` for each; a regression
        has numbers and no score. Rows may be in any order. With `chunk_sizes` the reference's chunks are not periods
        but have these numbers of rows, in the order of time. Where the spec sets neither `minimum_rows` nor
        `minimum_class_rows`, fewer rows are required if the reference shows that they distinguish the model from
        chance. Raises SchemaMismatch for missing columns, and InvalidInput for rows that do not fit, such as scores
        outside 0 to 1.

        >>> import driftline as dl
        >>> dl.Monitor({"columns": ["usage"]}).fit(pd.DataFrame({"usage": [1.0]}))
        Traceback (most recent call last):
        driftline.errors.SchemaMismatch: Columns are missing: event_time, id, ... Available: usage.
        """
        require(reference, (EVENT_TIME, ID, *self.spec.features, *self.spec.outputs))
        spec = lowered_minimum(self.spec, reference)
        fitted = fit_reference(with_plain_times(reference), spec, chunk_sizes)
        require_probabilities(reference, spec.scores)
        return FittedMonitor(spec, fitted)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ChunkSummary:
    """The data from some or all rows of a chunk that its results need; far smaller than the rows, and picklable.

    >>> import numpy as np
    >>> import driftline as dl
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({
    ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
    ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
    ... })
    >>> fitted = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]}).fit(frame)
    >>> fitted.summarize(frame[:150]).merge(fitted.summarize(frame[150:200]))
    ChunkSummary(200 rows, 200 labelled)
    """

    summary: Summary
    labelled: int
    monitor: str = ""
    """Identifies the fitted monitor that summarized the rows."""

    def __repr__(self) -> str:
        return f"ChunkSummary({self.rows:,} rows, {self.labelled:,} labelled)"

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.summary.rows

    def merge(self, other: "ChunkSummary") -> "ChunkSummary":
        """Return the summary of both parts of a chunk; raise InvalidInput for a summary from another monitor."""
        if self.monitor != other.monitor:
            msg = (
                "the summaries are of two different monitors, whose bins and columns differ; merge summaries of one "
                "fitted monitor (FittedMonitor.to_json copies it to other machines)"
            )
            raise InvalidInput(msg)
        return ChunkSummary(self.summary.merge(other.summary), self.labelled + other.labelled, self.monitor)


@dataclass(frozen=True, slots=True, repr=False)
class EvaluatedChunk:
    """The results of a chunk without its verdict: its period, its rows, and how many of them have a label.

    >>> import numpy as np
    >>> import driftline as dl
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({
    ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
    ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
    ... })
    >>> fitted = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]}).fit(frame)
    >>> chunk = fitted.evaluate(frame[:200])
    >>> chunk
    EvaluatedChunk(2026-01-01 00:00 200 rows, 200 labelled, 10 results: 10 ok)
    >>> chunk.to_frame()[["subject", "method", "state"]].iloc[0].to_list()
    ['model', 'mae', 'ok']
    """

    chunk: Chunk
    rows: int = 0
    labelled: int = 0
    results: tuple[Result, ...] = ()
    score_counts: Counts | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        counts = Counter(result.state.value for result in self.results)
        states = ", ".join(f"{count:,} {state}" for state, count in counts.items())
        rows = f"{self.rows:,} rows, {self.labelled:,} labelled"
        results = f"{len(self.results):,} results{f': {states}' if states else ''}"
        return f"EvaluatedChunk({self.start:%Y-%m-%d %H:%M} {rows}, {results})"

    def _repr_html_(self) -> str:
        """Return a table with a row for each of the first results, as notebooks show it."""
        columns = ["subject", "segment", "method", "value", "state", "reason"]
        frame = self.to_frame()[columns]
        rows = [[_cell(value) for value in row] for row in frame[:_HTML_RESULTS].itertuples(index=False)]
        more = len(frame) - _HTML_RESULTS
        note = f"<p>and {more:,} more results in <code>.to_frame()</code></p>" if more > 0 else ""
        return html_table(repr(self), columns, rows) + note

    @property
    def start(self) -> datetime:
        """The first instant of the chunk, in UTC."""
        return self.chunk.start

    @property
    def end(self) -> datetime:
        """The first instant after the chunk, in UTC."""
        return self.chunk.end

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each result: subject, kind, method, value, bounds, sampling error, rows, state, reason."""
        names = ("subject", "subject_kind", "segment", "kind", "method", "value", "rows", "lower", "upper")
        columns = [*names, "sampling_error", "state", "reason"]
        rows = [
            (
                result.subject,
                str(result.subject_kind),
                result.segment,
                result.kind.value,
                str(result.method),
                result.value,
                result.rows,
                result.bounds.lower,
                result.bounds.upper,
                result.sampling_error,
                result.state.value,
                result.reason,
            )
            for result in self.results
        ]
        return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FittedMonitor:
    """A monitor with its fitted reference, immutable; returned by `Monitor.fit`, stored by `to_json`.

    >>> import numpy as np
    >>> import driftline as dl
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({
    ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
    ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
    ... })
    >>> fitted = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]}).fit(frame)
    >>> fitted
    FittedMonitor(2,000 reference rows in 10 chunks, 2026-01-01 to 2026-01-10)
    >>> [(chunk.start.day, chunk.rows) for chunk in fitted.evaluate_chunks(frame[:400])]
    [(1, 200), (2, 200)]
    """

    spec: Spec
    reference: FittedReference
    identity: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "identity", _identity(self.spec, self.reference))

    def __repr__(self) -> str:
        reference = self.reference
        since, until = reference.since.date(), reference.until.date()
        return f"FittedMonitor({reference.rows:,} reference rows in {reference.chunks:,} chunks, {since} to {until})"

    def _repr_html_(self) -> str:
        """Return a table of the main fields of the spec, as notebooks show it."""
        return html_table(repr(self), ("field", "value"), _main_fields(self.spec))

    def evaluate(
        self, frame: pd.DataFrame, start: str | datetime | None = None, end: str | datetime | None = None
    ) -> EvaluatedChunk:
        """Compute all results of one chunk: realized and estimated performance, drift and data quality.

        `frame` has the columns that `Monitor.fit` documents, except that `event_time` and `id` may be absent where
        `start` is passed and no method of the spec reads them. `start` and `end` bound the chunk; without `end` it is
        the period that contains `start`, without both the period of the rows. Raises SchemaMismatch for missing
        columns, and InvalidInput for rows of several periods.

        >>> import numpy as np
        >>> import driftline as dl
        >>> rng = np.random.default_rng(0)
        >>> frame = pd.DataFrame({
        ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
        ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
        ... })
        >>> monitor = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]})
        >>> chunk = monitor.fit(frame).evaluate(frame[:200].assign(size=60), start="2026-02-01")
        >>> {result.method: str(result.state) for result in chunk.results if result.subject == "size"}
        {'jensen_shannon': 'warn', 'kolmogorov_smirnov': 'warn', 'wasserstein': 'warn', 'missing_values': 'ok'}
        """
        frame = with_plain_times(frame)
        chunk = self._chunk(start, end) if start is not None else self._chunk_of_rows(frame)
        return self._finish(self.summarize(frame), chunk)

    def evaluate_chunks(self, frame: pd.DataFrame) -> Iterator[EvaluatedChunk]:
        """Evaluate the rows period by period, and yield the periods that have rows, oldest first.

        >>> import numpy as np
        >>> import driftline as dl
        >>> rng = np.random.default_rng(0)
        >>> frame = pd.DataFrame({
        ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
        ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
        ... })
        >>> fitted = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]}).fit(frame)
        >>> [(chunk.start.day, chunk.rows) for chunk in fitted.evaluate_chunks(frame[:400])]
        [(1, 200), (2, 200)]
        """
        require(frame, (EVENT_TIME,))
        frame = with_plain_times(frame)
        for chunk, rows in split_by_chunk(frame, self.spec.period, self.spec.zone):
            yield self._finish(self.summarize(rows), chunk)

    def summarize(self, frame: pd.DataFrame) -> ChunkSummary:
        """Summarize some or all rows of a chunk; parts may be summarized on any machine, in any order.

        >>> import numpy as np
        >>> import driftline as dl
        >>> rng = np.random.default_rng(0)
        >>> frame = pd.DataFrame({
        ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
        ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
        ... })
        >>> monitor = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]}).fit(frame)
        >>> parts = [monitor.summarize(frame[:150]), monitor.summarize(frame[150:200])]
        >>> merged = monitor.finish(monitor.merge(*parts), start="2026-01-01")
        >>> merged.rows, merged.labelled
        (200, 200)
        >>> str(merged.results[0].method), round(merged.results[0].value, 3)
        ('mae', 4.007)
        >>> round(monitor.evaluate(frame[:200]).results[0].value, 3)
        4.007
        """
        summary = summarize_chunk(self.reference, self.spec, with_plain_times(frame))
        return ChunkSummary(summary, int(frame[LABEL].notna().sum()), self.identity)

    @staticmethod
    def merge(first: ChunkSummary, *further: ChunkSummary) -> ChunkSummary:
        """Return the summary of a chunk from the summaries of its parts.

        >>> import numpy as np
        >>> import driftline as dl
        >>> rng = np.random.default_rng(0)
        >>> frame = pd.DataFrame({
        ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
        ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
        ... })
        >>> fitted = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]}).fit(frame)
        >>> fitted.merge(*(fitted.summarize(frame[first : first + 50]) for first in (0, 50, 100))).rows
        150
        """
        return reduce(ChunkSummary.merge, further, first)

    def finish(self, summary: ChunkSummary, start: str | datetime, end: str | datetime | None = None) -> EvaluatedChunk:
        """Compute all results of a chunk from its summary; `start` and `end` are those of `evaluate`.

        Raises InvalidInput for a summary of another monitor.

        >>> import numpy as np
        >>> import driftline as dl
        >>> rng = np.random.default_rng(0)
        >>> frame = pd.DataFrame({
        ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
        ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
        ... })
        >>> fitted = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]}).fit(frame)
        >>> chunk = fitted.finish(fitted.summarize(frame[:200]), start="2026-01-01")
        >>> chunk == fitted.evaluate(frame[:200])
        True
        """
        if summary.monitor != self.identity:
            msg = "the summary is of another monitor, whose bins and columns differ; summarize the rows with this one"
            raise InvalidInput(msg)
        return self._finish(summary, self._chunk(start, end))

    def verdicts(self, chunks: Iterable[EvaluatedChunk], *, now: str | datetime | None = None) -> tuple[Verdict, ...]:
        """Derive the verdicts of consecutive chunks, oldest first; they depend on each other, as drift must last.

        A chunk is closed if `now` is past its end plus the spec's `allowed_lateness`, and its labels are due if `now`
        is past its end plus `label_delay`. The default of `now` is the end of the last chunk. Raises InvalidInput for
        chunks out of order.

        >>> import numpy as np
        >>> import driftline as dl
        >>> rng = np.random.default_rng(0)
        >>> frame = pd.DataFrame({
        ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
        ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
        ... })
        >>> fitted = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]}).fit(frame)
        >>> chunks = list(fitted.evaluate_chunks(frame[:400].assign(size=60)))
        >>> for verdict in fitted.verdicts(chunks):
        ...     print(verdict.state, verdict.drifted)
        ok ()
        warn ('size',)
        """
        evaluated = tuple(chunks)
        if [chunk.start for chunk in evaluated] != sorted(chunk.start for chunk in evaluated):
            msg = "chunks are not in the order of time; pass them oldest first"
            raise InvalidInput(msg)
        if not evaluated:
            return ()
        moment = evaluated[-1].end if now is None else _instant(now, self.spec.zone)
        facts = [chunk_facts(chunk, self.spec, moment) for chunk in evaluated]
        return tuple(verdict for verdict, _ in consecutive_verdicts(self.spec, self.reference.evidence, facts))

    def visible_changes(self, chunk_length: timedelta | None = None) -> tuple[VisibleChange, ...]:
        """Return the smallest changes detected 8 times in 10 within 1, 7 and 30 chunks; none where only bounds alert.

        Pass `chunk_length` if chunks are not periods. See `driftline.engine.evidence.visible_change`.

        >>> import numpy as np
        >>> import driftline as dl
        >>> rng = np.random.default_rng(0)
        >>> score = rng.uniform(size=10_000)
        >>> frame = pd.DataFrame({
        ...     "event_time": pd.date_range("2026-01-01", periods=10_000, freq="172800ms", tz="UTC"),
        ...     "id": range(10_000), "size": 1.0, "probability_1": score, "prediction": score >= 0.5,
        ...     "label": rng.uniform(size=10_000) < score,
        ... })
        >>> fitted = dl.Monitor({"columns": ["size"]}).fit(frame)  # 20 days
        >>> [(change.chunks, round(change.roc_auc, 2)) for change in fitted.visible_changes()]
        [(1, 0.15), (7, 0.06), (30, 0.05)]
        """
        rule, evidence = alert_rule(self.spec), self.reference.evidence
        if rule is None or evidence is None:
            return ()
        return visible_changes(evidence, rule.budget, (chunk_length or MEAN_CHUNK[self.spec.period]) / YEAR)

    @property
    def no_evidence(self) -> str | None:
        """Why there are no alerts within the budget although the spec has one, and what to do; None where there are."""
        reason = self.reference.no_evidence
        return None if reason is None or alert_rule(self.spec) is None else reason.reason

    def proposed_period(self, chunk_length: timedelta | None = None) -> Period | None:
        """Return a longer period if 30 chunks see too little, else None.

        They see enough if a fall of ROC AUC by 0.1 is found, for half of several classes, or a rise of the mean
        absolute error by 20 %.

        >>> import numpy as np
        >>> import driftline as dl
        >>> rng = np.random.default_rng(0)
        >>> frame = pd.DataFrame({
        ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
        ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
        ... })
        >>> fitted = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]}).fit(frame)
        >>> fitted.proposed_period() is None
        True
        """
        rule, evidence = alert_rule(self.spec), self.reference.evidence
        if rule is None or evidence is None:
            return None
        years = (chunk_length or MEAN_CHUNK[self.spec.period]) / YEAR
        periods = {length / YEAR: period for period, length in MEAN_CHUNK.items()}
        proposed = proposed_length(evidence, rule.budget, years, list(periods))
        return None if proposed is None else periods[proposed]

    def to_json(self) -> str:
        """Return the spec and the fitted reference as JSON; floats keep every digit.

        >>> import numpy as np
        >>> import driftline as dl
        >>> rng = np.random.default_rng(0)
        >>> frame = pd.DataFrame({
        ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
        ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
        ... })
        >>> fitted = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]}).fit(frame)
        >>> sorted(json.loads(fitted.to_json()))
        ['reference', 'spec']
        """
        spec = self.spec.model_dump_json(exclude_unset=True)
        return f'{{"spec":{spec},"reference":{self.reference.to_json()}}}'

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the monitor from the JSON of `to_json`; raise InvalidInput for JSON that this version cannot read.

        >>> import numpy as np
        >>> import driftline as dl
        >>> rng = np.random.default_rng(0)
        >>> frame = pd.DataFrame({
        ...     "event_time": pd.date_range("2026-01-01", periods=2_000, freq="432s", tz="UTC"), "id": range(2_000),
        ...     "size": rng.normal(50, 9, 2_000), "prediction": 100.0, "label": rng.normal(100, 5, 2_000),
        ... })
        >>> fitted = dl.Monitor({"problem": "regression", "columns": ["size"], "metrics": ["mae"]}).fit(frame)
        >>> stored = dl.FittedMonitor.from_json(fitted.to_json())
        >>> stored.evaluate(frame[:200]) == fitted.evaluate(frame[:200])
        True
        """
        try:
            stored = json.loads(text)
            return cls(stored_spec(stored["spec"]), FittedReference.from_dict(stored["reference"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            msg = "this is not JSON of FittedMonitor.to_json; fit the monitor again"
            raise InvalidInput(msg) from error

    def _finish(self, summary: ChunkSummary, chunk: Chunk) -> EvaluatedChunk:
        results = finish_chunk(self.reference, self.spec, summary.summary, chunk)
        counts = count_scores(self.reference, summary.summary)
        return EvaluatedChunk(chunk, summary.rows, summary.labelled, results, counts)

    def _chunk(self, start: str | datetime, end: str | datetime | None) -> Chunk:
        """Return the chunk with these bounds; texts without an offset are local time in the spec's zone."""
        first = _instant(start, self.spec.zone)
        if end is None:
            return chunk_of(first, self.spec.period, self.spec.zone)
        last = _instant(end, self.spec.zone)
        if last <= first:
            msg = f"end {last.isoformat()} is not after start {first.isoformat()}"
            raise InvalidInput(msg)
        return Chunk(first, last)

    def _chunk_of_rows(self, frame: pd.DataFrame) -> Chunk:
        """Return the period of the rows; raise InvalidInput unless there is exactly one."""
        require(frame, (EVENT_TIME,))
        chunks = [chunk for chunk, _ in split_by_chunk(frame[[EVENT_TIME]], self.spec.period, self.spec.zone)]
        if len(chunks) == 1:
            return chunks[0]
        if not chunks:
            msg = "the frame has no rows, so its chunk is unknown; pass start"
            raise InvalidInput(msg)
        first, last = chunks[0].start.isoformat(), chunks[-1].end.isoformat()
        msg = (
            f"the rows are of {len(chunks)} chunks of {self.spec.period}, from {first} to {last}; pass start and end, "
            "or use evaluate_chunks"
        )
        raise InvalidInput(msg)


_HTML_RESULTS = 100
"""How many results the table of a chunk lists at most."""


def _cell(value: object) -> str:
    """Return a value in a table for notebooks; a missing one is empty."""
    if value is None or value != value:  # noqa: PLR0124  (NaN)
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _main_fields(spec: Spec) -> list[tuple[str, str]]:
    """Return the fields of a spec that say what is computed, with their values as text."""
    values = {
        "problem": spec.problem, "columns": ", ".join(spec.features), "period": spec.period,
        "time_zone": spec.time_zone, "metrics": ", ".join(spec.metrics), "segments": ", ".join(spec.segments),
    }  # fmt: skip
    return [(name, str(value)) for name, value in values.items()]


_SUMMARIZED = {
    "problem", "classes", "columns", "continuous_methods", "categorical_methods", "multivariate_methods", "quality",
    "statistics", "segments", "label_drift", "exact_distances",
}  # fmt: skip
"""The fields of a spec that a summary depends on; others, such as thresholds, may be changed afterwards."""


def _identity(spec: Spec, reference: FittedReference) -> str:
    """Return a text that is equal for monitors whose summaries can be merged: with equal rows, columns and methods."""
    fields = spec.model_dump_json(include=_SUMMARIZED)
    return hashlib.sha256(f"{reference.content_hash}\n{fields}".encode()).hexdigest()


def _instant(value: str | datetime, zone: ZoneInfo) -> datetime:
    """Return an ISO 8601 text or a datetime as an instant in UTC; without an offset it is local time in `zone`."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        msg = f"{value!r} is not a date; write it as 2026-01-31 or 2026-01-31T08:00:00+00:00"
        raise InvalidInput(msg) from None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):  # pandas.NaT, and the ends of the calendar
        msg = f"{value!r} is not an instant in UTC; write it as 2026-01-31 or 2026-01-31T08:00:00+00:00"
        raise InvalidInput(msg) from None


def chunk_facts(chunk: EvaluatedChunk, spec: Spec, now: datetime, *, complete: bool = True) -> ChunkFacts:
    """Return the facts that a verdict is derived from; `complete` is False if rows of the chunk are missing."""
    return ChunkFacts(
        start=chunk.start,
        end=chunk.end,
        closed=complete and now >= closing_time(spec, chunk.chunk),
        labels_due=complete and now >= label_deadline(spec, chunk.chunk),
        rows=chunk.rows,
        labelled=chunk.labelled,
        results=chunk.results,
        score_counts=chunk.score_counts,
    )
