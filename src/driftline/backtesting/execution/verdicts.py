"""Verdicts over the chunks of a backtest, oldest first, as if each had just been closed. No I/O here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from driftline.backtesting.execution.places import Places
from driftline.backtesting.input.instants import aware
from driftline.engine.chunks import Chunk
from driftline.engine.results import Result, Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.track_record import RECORD_WINDOW, track_records
from driftline.engine.verdicts.verdict import LOOKBACK, verdict_of
from driftline.report.view import ChunkView

_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """A chunk's numbers before its verdict."""

    chunk: Chunk
    rows: int = 0
    labelled: int = 0
    results: tuple[Result, ...] = ()


@dataclass(slots=True)
class Judge:
    """Derives one verdict after the other; keeps of the chunks before only what verdicts read."""

    spec: Spec
    places: Places
    newest: int
    settled: list[ChunkFacts] = field(default_factory=list)
    before: list[ChunkFacts] = field(default_factory=list)

    def judge(self, chunks: Iterable[Counted]) -> Iterator[ChunkView]:
        """Yield the chunks with their verdicts; they must come oldest first."""
        for counted in chunks:
            facts = self._facts(counted)
            verdict = verdict_of(self.spec, facts, self.before, track_records(self.spec, self.settled))
            verdict = self._with_partial(verdict, counted.chunk)
            self._remember(facts)
            yield ChunkView(
                start=facts.start,
                end=facts.end,
                rows=facts.rows,
                labelled=facts.labelled,
                closed=facts.closed,
                labels_due=facts.labels_due,
                verdict=verdict,
                results=facts.results,
            )

    def _with_partial(self, verdict: Verdict, chunk: Chunk) -> Verdict:
        if not self.places.partial(chunk):
            return verdict
        reason = "The reference ends inside this chunk: only the rest of it is judged, provisionally."
        return replace(verdict, reasons=(reason, *verdict.reasons))

    def _facts(self, counted: Counted) -> ChunkFacts:
        start, end = counted.chunk.start, counted.chunk.end
        complete = self.places.complete(counted.chunk, self.newest)
        passed = aware(self.newest) + _AFTER
        return ChunkFacts(
            start=start,
            end=end,
            closed=complete and passed >= end + self.spec.allowed_lateness,
            labels_due=complete and passed >= end + self.spec.label_delay,
            rows=counted.rows,
            labelled=counted.labelled,
            results=counted.results,
        )

    def _remember(self, facts: ChunkFacts) -> None:
        if facts.settled(self.spec):
            self.settled = [*self.settled, facts][-RECORD_WINDOW:]
        if facts.closed:
            self.before = [*self.before, facts][-LOOKBACK:]
