"""The revision history of one chunk, prepared for the template. No I/O here."""

from dataclasses import dataclass

from driftline.engine.catalogue import title
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.number_format import percent, readable
from driftline.engine.results import MODEL, Result, ResultKind
from driftline.report.wording import PERIOD_WORDS, STATE_WORDS, StateWords, period_label
from driftline.store.rows.reading.batch_origins import BatchOrigin
from driftline.store.versions.registry import Version
from monitoring.pages.models.versions_page import TrainingLink, training_link
from monitoring.poll.results.revisions import Revision
from monitoring.poll.results.verdicts import StoredVerdict
from monitoring.service import ChunkHistory, ChunkLineage

SHOWN_BATCHES = 100


@dataclass(frozen=True, slots=True)
class PastVerdict:
    """A verdict as it was reported: when, on which revision, and with which labels."""

    stored: StoredVerdict
    words: StateWords
    labels: str


@dataclass(frozen=True, slots=True)
class PastRevision:
    """A revision of the chunk with its metrics, realized and estimated, in the order of the headings."""

    revision: Revision
    labels: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """The history of a chunk: its verdicts, the newest first, and its revisions, the newest first."""

    version: Version
    chunk: Chunk
    label: str
    period: str
    verdicts: tuple[PastVerdict, ...]
    revisions: tuple[PastRevision, ...]
    number_names: tuple[str, ...]
    lineage: ChunkLineage
    training: TrainingLink | None
    batches: tuple[BatchOrigin, ...]


def history_page(history: ChunkHistory, lineage: ChunkLineage) -> HistoryPage:
    """Return the page of a chunk's history, with the newest batches of a revision's lineage."""
    spec = history.version.spec
    labels = {revision.number: _labels(revision) for revision, _ in history.revisions}
    kinds = ((ResultKind.REALIZED, "{}"), (ResultKind.ESTIMATED, "Estimated {}"))
    columns = [(kind, metric, words) for metric in spec.metrics for kind, words in kinds]
    return HistoryPage(
        version=history.version,
        chunk=history.chunk,
        label=period_label(history.chunk.start, spec.period, spec.zone),
        period=PERIOD_WORDS[spec.period],
        verdicts=tuple(
            PastVerdict(stored, STATE_WORDS[stored.verdict.state], labels.get(stored.revision, "–"))
            for stored in reversed(history.verdicts)
        ),
        revisions=tuple(
            PastRevision(revision, labels[revision.number], tuple(_number(results, k, m) for k, m, _ in columns))
            for revision, results in reversed(history.revisions)
        ),
        number_names=tuple(words.format(title(metric)) for _, metric, words in columns),
        lineage=lineage,
        training=training_link(history.version.details),
        batches=tuple(reversed(lineage.batches[-SHOWN_BATCHES:])),
    )


def _labels(revision: Revision) -> str:
    return percent(revision.labelled / revision.rows) if revision.rows else "–"


def _number(results: tuple[Result, ...], kind: ResultKind, metric: str) -> str:
    key = (kind, metric, MODEL, None)
    value = next((r.value for r in results if (r.kind, r.method, r.subject, r.segment) == key), None)
    return "–" if value is None else readable(value)
