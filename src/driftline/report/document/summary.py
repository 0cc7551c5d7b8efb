"""A range of chunks in a sentence, and what changed since the range before. No I/O here."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile, takewhile

from driftline.engine.catalogue import title
from driftline.engine.evidence.wording import date
from driftline.engine.number_format import percent, readable
from driftline.engine.results import ResultKind, State
from driftline.report.document.content import ReportContent
from driftline.report.view import ChunkView
from driftline.report.wording import MOST_SEVERE_FIRST

DECISIVE = frozenset({State.OK, State.WARN, State.ALERT})
"""The states that say how the model does; the others say what is missing."""
MOST_REASONS = 3
MOST_NAMES = 5
NO_VALUE = "–"

_VERBS: dict[State, tuple[str, str]] = {
    State.ALERT: ("alerts", "alert"),
    State.WARN: ("warns", "warn"),
    State.ERROR: ("failed", "failed"),
    State.INSUFFICIENT: ("has too little data", "have too little data"),
    State.PENDING_LABELS: ("waits for labels", "wait for labels"),
    State.OK: ("is OK", "are OK"),
    State.NO_DATA: ("has no predictions", "have no predictions"),
}
"""What one chunk of a state does, and what several do."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict of a range in sentences: how many chunks have which, and the newest one with its reasons."""

    state: State
    counts: str
    newest: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """A number or a list, in the range before and in the range of the report."""

    what: str
    earlier: str
    now: str


def headline(content: ReportContent) -> Headline:
    """Return the verdict of the range: that of its newest chunk that says how the model does."""
    chunks, zone = content.chunks, content.spec.zone
    if not chunks:
        return Headline(State.NO_DATA, "There is no chunk in this range.", "")
    newest = next((chunk for chunk in reversed(chunks) if chunk.verdict.state in DECISIVE), chunks[-1])
    state, since = newest.verdict.state, _since(chunks, newest)
    verb = _VERBS[state][0]
    begun = f", unchanged since {date(since.start, zone)}" if since is not newest else ""
    provisional = "; more rows or labels may change that" if newest.verdict.provisional else ""
    sentence = f"The {content.period} of {date(newest.start, zone)} {verb}{begun}{provisional}."
    return Headline(state, _counts(content), sentence, newest.verdict.reasons[:MOST_REASONS])


def compare(content: ReportContent) -> list[ComparedValue]:
    """Return what a report compares with the range before; nothing where it has no range before."""
    if not content.earlier:
        return []
    return [
        ComparedValue(name, earlier, now)
        for (name, earlier), (_, now) in zip(
            _values(content, content.earlier), _values(content, content.chunks), strict=True
        )
    ]


def range_words(content: ReportContent, chunks: Sequence[ChunkView]) -> str:
    """Return the number of chunks and the range that they cover, such as `30 days from 1 May to 30 May 2026`."""
    first, last = date(chunks[0].start, content.spec.zone), date(chunks[-1].start, content.spec.zone)
    if len(chunks) == 1:
        return f"the {content.period} of {first}"
    return f"{len(chunks):,} {content.period}s from {first} to {last}"


def _counts(content: ReportContent) -> str:
    """Return how many chunks have which verdict, the most severe first."""
    if len(content.chunks) == 1:
        return ""
    counts = Counter(chunk.verdict.state for chunk in content.chunks)
    parts = [f"{counts[state]:,} {_VERBS[state][counts[state] > 1]}" for state in MOST_SEVERE_FIRST if counts[state]]
    listed = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    return f"Of {len(content.chunks):,} {content.period}s, {listed}."


def _since(chunks: Sequence[ChunkView], newest: ChunkView) -> ChunkView:
    """Return the first of the chunks with rows that lead to the newest one and have its state."""
    with_rows = [chunk for chunk in reversed(chunks) if chunk.rows or chunk is newest]
    from_newest = dropwhile(lambda chunk: chunk is not newest, with_rows)
    return list(takewhile(lambda chunk: chunk.verdict.state is newest.verdict.state, from_newest))[-1]


def _values(content: ReportContent, chunks: Sequence[ChunkView]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each number of a range of chunks."""
    counts = Counter(chunk.verdict.state for chunk in chunks)
    rows, labelled = sum(chunk.rows for chunk in chunks), sum(chunk.labelled for chunk in chunks)
    yield f"{content.period.capitalize()}s that alert", f"{counts[State.ALERT]:,} of {len(chunks):,}"
    yield f"{content.period.capitalize()}s that warn", f"{counts[State.WARN]:,} of {len(chunks):,}"
    yield "Predictions", f"{rows:,}"
    yield "Labels in", percent(labelled / rows) if rows else NO_VALUE
    for metric in content.spec.metrics:
        yield f"{title(metric)}, realized", _mean(chunks, ResultKind.REALIZED, metric)
        yield f"{title(metric)}, estimated", _mean(chunks, ResultKind.ESTIMATED, metric)
    drifted = dict.fromkeys(name for chunk in chunks for name in chunk.verdict.drifted)
    yield "Columns whose drift lasted", _names(list(drifted))


def _mean(chunks: Sequence[ChunkView], kind: ResultKind, metric: str) -> str:
    """Return the mean of a metric's values, each weighted by its rows."""
    results = [result for chunk in chunks if (result := chunk.result(kind, metric)) and result.value is not None]
    weight = sum(result.rows for result in results)
    return readable(sum((r.value or 0.0) * r.rows for r in results) / weight) if weight else NO_VALUE


def _names(names: Sequence[str]) -> str:
    listed = ", ".join(names[:MOST_NAMES])
    return f"{listed} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else listed or "none"
