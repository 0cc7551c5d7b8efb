"""The view of a chunk that all reports show, in a backtest or the monitor. No I/O here."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.results import MODEL, Result, ResultKind, Verdict, is_of_model
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.drift_rule import Subject, drift_reasons
from driftline.notebook import html_table

CHUNK_COLUMNS = ("chunk", "rows", "labelled", "verdict", "reason")
"""The columns of a table of chunks."""


@dataclass(frozen=True, slots=True, repr=False)
class ChunkView:
    """One half-open chunk [start, end) with its results and its verdict; instants are aware.

    `rows` counts the predictions, `labelled` those of them whose label is in. `waiting` means that the chunk's content
    changed and the next poll computes it. `revision`, `computed_at`, `labels_as_of` and `spec_revision` describe the
    stored revision; they are None where nothing is stored, as in a backtest. `results` may be about segments too.

    >>> from datetime import UTC, datetime
    >>> import driftline as dl
    >>> verdict = dl.Verdict(dl.State.WARN, ("F1 0.61 is below its warning bound 0.64.",), provisional=False)
    >>> day = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    >>> chunk = dl.ChunkView(*day, rows=1_200, labelled=900, closed=True, labels_due=True, verdict=verdict)
    >>> chunk
    ChunkView(2026-01-01 00:00 1,200 rows warn: F1 0.61 is below its warning bound 0.64.)
    >>> chunk.coverage, chunk.status
    (0.75, 'closed')
    """

    start: datetime
    end: datetime
    rows: int
    labelled: int
    closed: bool
    labels_due: bool
    verdict: Verdict
    results: tuple[Result, ...] = ()
    waiting: bool = False
    revision: int | None = None
    computed_at: datetime | None = None
    labels_as_of: datetime | None = None
    spec_revision: int | None = None
    drift: frozenset[Subject] | None = None
    """The drift of the chunk, if it was derived with the verdict."""
    evidence: ChunkEvidence | None = None
    """What the detector says about the chunk; None where bounds alone decide about alerts."""
    _on_all_rows: dict[tuple[ResultKind, str, str], Result] = field(default_factory=dict, init=False, compare=False)
    """The results on all rows by kind, method and subject, as soon as one is asked for."""

    def __repr__(self) -> str:
        return f"ChunkView({self.summary})"

    def _repr_html_(self) -> str:
        """Return a table of one row, as notebooks show it."""
        return html_table("1 chunk", CHUNK_COLUMNS, [self.cells])

    @property
    def summary(self) -> str:
        """The start, the rows, the state and the most severe reason, in one line."""
        reason = f": {self.verdict.reasons[0]}" if self.verdict.reasons else ""
        return f"{self.start:%Y-%m-%d %H:%M} {self.rows:,} rows {self.verdict.state}{reason}"

    @property
    def cells(self) -> tuple[str, ...]:
        """The texts of `CHUNK_COLUMNS`."""
        labelled = "-" if self.coverage is None else f"{int(100 * self.coverage)} %"
        reason = self.verdict.reasons[0] if self.verdict.reasons else ""
        return f"{self.start:%Y-%m-%d %H:%M}", f"{self.rows:,}", labelled, str(self.verdict.state), reason

    @property
    def chunk(self) -> Chunk:
        """The period of time."""
        return Chunk(self.start, self.end)

    @property
    def status(self) -> str:
        """`closed`, or `open` while more rows may come."""
        return "closed" if self.closed else "open"

    @property
    def coverage(self) -> float | None:
        """The share of rows whose label is in, 0 to 1; None without rows."""
        return self.labelled / self.rows if self.rows else None

    def result(self, kind: ResultKind, method: str, subject: str = MODEL) -> Result | None:
        """Return the result on all rows; None where it was not computed."""
        if not self._on_all_rows:
            for result in reversed(self.results):
                if result.segment is None:
                    self._on_all_rows[result.kind, str(result.method), result.subject] = result
        return self._on_all_rows.get((kind, str(method), subject))

    def in_segment(self, segment: str) -> "ChunkView":
        """Return the chunk with the results of one segment as its own; rows, labels and verdict stay those of all rows.

        No drift of it lasts: only a verdict says so, and verdicts are on all rows.
        """
        results = tuple(replace(result, segment=None) for result in self.results if result.segment == segment)
        return replace(self, results=results, verdict=replace(self.verdict, drifted=()), drift=None)

    def facts(self) -> ChunkFacts:
        """Return the facts that the engine's verdict rules read."""
        return ChunkFacts(self.start, self.end, self.closed, self.labels_due, self.rows, self.labelled, self.results)

    def drifted_subjects(self, spec: Spec) -> frozenset[str]:
        """Return the columns (or `model`) that drifted by the verdict's own rule, whether it lasts or not."""
        return frozenset(subject for _, subject, _ in self._drifted(spec))

    def drifted_columns(self, spec: Spec) -> frozenset[str]:
        """Return the columns that drifted, without drift of the model as a whole."""
        drifted = self._drifted(spec)
        return frozenset(subject for kind, subject, method in drifted if not is_of_model(kind, method))

    def _drifted(self, spec: Spec) -> frozenset[Subject]:
        return frozenset(drift_reasons(spec, self.facts())) if self.drift is None else self.drift
