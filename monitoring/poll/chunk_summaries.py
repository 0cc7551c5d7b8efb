"""Updates the stored summaries of a chunk: only new and changed batches are read and merged."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import Connection

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.computation.fitted_methods import Summary, SummaryContent
from driftline.engine.sums.content_sum import ContentSum
from driftline.errors import DatabaseBusy
from driftline.store.rows.reading import chunk_parts
from driftline.store.rows.reading.chunk_parts import PartProvenance, PartReader
from driftline.store.rows.reading.chunk_rows import ChunkReader
from driftline.store.versions.registry import Version
from monitoring.poll import uncomputed_labels
from monitoring.poll.results.summary_store import StoredPart, SummaryStore
from monitoring.poll.uncomputed_labels import UncomputedLabels

MOST_READS = 5
"""How many times rows are read before giving up, where other transactions keep removing rows."""
LARGEST_SIZE_RATIO = 2
"""A part is merged with the preceding one if that has at most this many times its rows."""


@dataclass(frozen=True, slots=True, eq=False)
class PartialSummary:
    """A part of a summary: which batches it covers, and the summary itself, stored or computed by this poll."""

    provenance: PartProvenance
    source: StoredPart | Summary


@dataclass(eq=False)
class ContentSummary:
    """The summary of one chunk's features or labels, in parts that cover its batches.

    `renew` determines which parts are out of date and computes them again; `save` stores the new parts.
    """

    content: SummaryContent
    store: SummaryStore
    rows: ChunkReader
    version: Version
    parts: list[PartialSummary] = field(default_factory=list)
    changed: bool = False

    def renew(self, removals: Mapping[int, int], relabelled: AbstractSet[int] = frozenset()) -> None:
        """Compute the parts again that differ from the stored batches, or whose batches have new labels.

        Args:
            removals: the number of removed rows of every batch in the chunk, by the batch's number.
            relabelled: batches with new labels. A second call leaves them out: the parts already contain these labels.
        """
        previous = self.parts or [PartialSummary(part.provenance, part) for part in self.store.parts(self.content)]
        current = [part for part in previous if self._is_current(part.provenance, removals, relabelled)]
        covered = {number for part in current for number in part.provenance.removals}
        missing = removals.keys() - covered
        self.changed |= bool(missing) or len(current) < len(previous)
        self.parts = sorted(current, key=lambda part: -part.provenance.rows)
        for numbers, portions in self.rows.groups(missing, self._reader.rows_at_once):
            self._push(
                PartialSummary(*self._reader.compute_part({number: removals[number] for number in numbers}, portions))
            )

    def save(self) -> None:
        """Store the new parts, and delete those that they replace."""
        if not self.changed:
            return
        numbers = {part.source.number for part in self.parts if isinstance(part.source, StoredPart)}
        self.store.keep(self.content, numbers)
        free = (number for number in range(len(self.parts)) if number not in numbers)
        for part in self.parts:
            if isinstance(part.source, Summary):
                self.store.add(self.content, next(free), part.provenance, part.source)

    def provenance(self) -> PartProvenance:
        """Return the merged provenance of all parts."""
        merged = PartProvenance({}, ContentSum())
        for part in self.parts:
            merged = merged.merge(part.provenance)
        return merged

    def summary(self) -> Summary:
        """Merge all parts, the smallest first."""
        summaries = [self._summary(part) for part in self.parts] or [self._reader.summarize(self._reader.read(()))]
        while len(summaries) > 1:
            summaries.sort(key=lambda summary: -summary.rows)
            summaries.append(summaries.pop().merge(summaries.pop()))
        return summaries[0]

    @property
    def _reader(self) -> PartReader:
        return PartReader(self.rows, self.version.fitted, self.content)

    def _is_current(
        self, provenance: PartProvenance, removals: Mapping[int, int], relabelled: AbstractSet[int]
    ) -> bool:
        same = all(removals.get(number) == removed for number, removed in provenance.removals.items())
        return same and not (self.content is SummaryContent.LABELS and relabelled & provenance.removals.keys())

    def _push(self, new: PartialSummary) -> None:
        """Add a part after merging it with the preceding parts that are smaller or of similar size."""
        while self.parts and self._can_merge(new, self.parts[-1]):
            old = self.parts.pop()
            merged = self._summary(old).merge(self._summary(new))
            new = PartialSummary(old.provenance.merge(new.provenance), merged)
        self.parts.append(new)

    def _can_merge(self, new: PartialSummary, old: PartialSummary) -> bool:
        """Return whether a part is merged with the preceding one: neither that nor the result is too large."""
        old_rows, new_rows = old.provenance.rows, new.provenance.rows
        return old_rows <= LARGEST_SIZE_RATIO * new_rows and (
            self.content is SummaryContent.FEATURES or old_rows + new_rows <= chunk_parts.LARGEST_LABEL_PART
        )

    def _summary(self, part: PartialSummary) -> Summary:
        return part.source if isinstance(part.source, Summary) else self.store.summary(self.content, part.source)


@dataclass(frozen=True, slots=True, eq=False)
class ChunkSummaries:
    """The summaries of one chunk: one of its features, which labels do not change, and one of its labels."""

    chunk: Chunk
    features: ContentSummary
    labels: ContentSummary
    uncomputed: Sequence[UncomputedLabels]

    @classmethod
    def renew(cls, connection: Connection, version: Version, chunk: Chunk) -> Self:
        """Return the summaries of the committed rows and labels; the chunk must be claimed.

        Features are read before labels. If a correction or deletion removes rows in between, the changed batches are
        read again, so that both summaries cover the same rows.

        Raises:
            DatabaseBusy: rows were removed during every attempt.
        """
        key = version.key
        rows = ChunkReader(connection, key, version.spec, chunk)
        store = SummaryStore(connection, key, version.spec_revision, chunk)
        uncomputed = uncomputed_labels.pending_of(connection, key, chunk)
        features, labels = (
            ContentSummary(content, store, rows, version)
            for content in (SummaryContent.FEATURES, SummaryContent.LABELS)
        )
        relabelled = rows.batches_of_labels(sorted({batch.batch_number for batch in uncomputed}))
        for _ in range(MOST_READS):
            removals = rows.removals()
            features.renew(removals)
            labels.renew(removals, relabelled)
            removed_now = rows.removals()
            if all(removed_now.get(number) == removed for number, removed in removals.items()):
                return cls(chunk, features, labels, uncomputed)
            relabelled = set()
        raise DatabaseBusy

    def save(self) -> None:
        """Store the summaries and settle the chunk's uncomputed labels, in the transaction that stores the results."""
        self.features.save()
        self.labels.save()
        store = self.labels.store
        uncomputed_labels.settle(store.connection, store.key, self.uncomputed)


def has_removals(connection: Connection, version: Version, chunk: Chunk) -> bool:
    """Return whether rows were removed from a chunk since its summaries were stored, or the summaries were deleted."""
    key = version.key
    parts = SummaryStore(connection, key, version.spec_revision, chunk).parts(SummaryContent.FEATURES)
    removals = ChunkReader(connection, key, version.spec, chunk).removals()
    removed = {number: count for part in parts for number, count in part.provenance.removals.items()}
    return not parts or any(removals.get(number, 0) != count for number, count in removed.items())
