"""The state of a chunk brought up to date: only new and changed batches are read, and merged into what is stored."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import Connection

from driftline.engine.chunks import Chunk
from driftline.engine.content_sum import ContentSum
from driftline.engine.fitted_methods import Summary, SummaryContent
from driftline.errors import DatabaseBusy
from driftline.store import chunk_parts
from driftline.store.chunk_parts import Description, PartReader
from driftline.store.chunk_rows import ChunkReader
from driftline.store.registry import Version
from monitoring.poll import relabelled_chunks
from monitoring.poll.relabelled_chunks import UncomputedLabels
from monitoring.poll.state_store import StateStore, StoredPart

MOST_READINGS = 5
"""How often changed rows are read again in the hope that no others change meanwhile."""
GROWTH = 2
"""A part is merged with the one before it as soon as that has no more than so many times its rows."""


@dataclass(frozen=True, slots=True, eq=False)
class StatePart:
    """A part of the state: what it was made of, and its summary, stored or just made."""

    description: Description
    source: StoredPart | Summary


@dataclass(eq=False)
class ContentState:
    """The state of the features, or of the labels, of one chunk: of all rows together it is the sum of its parts.

    `renew` finds out what has changed, and reads and merges that; `save` stores it.
    """

    content: SummaryContent
    store: StateStore
    rows: ChunkReader
    version: Version
    parts: list[StatePart] = field(default_factory=list)
    changed: bool = False

    def renew(self, removals: Mapping[int, int], relabelled: AbstractSet[int] = frozenset()) -> None:
        """Make the parts again that are not of these batches as they are now, or that have batches with new labels.

        `removals` has, by the number of each batch in the chunk, how many of its rows are removed. Called again, it
        goes on from the parts that it has, which have the new labels.
        """
        previous = self.parts or [StatePart(part.description, part) for part in self.store.parts(self.content)]
        current = [part for part in previous if self._is_current(part.description, removals, relabelled)]
        covered = {number for part in current for number in part.description.batches}
        missing = removals.keys() - covered
        self.changed |= bool(missing) or len(current) < len(previous)
        self.parts = sorted(current, key=lambda part: -part.description.rows)
        for numbers, portions in self.rows.groups(missing, self._reader.rows_at_once):
            self._push(
                StatePart(*self._reader.computed_part({number: removals[number] for number in numbers}, portions))
            )

    def save(self) -> None:
        """Store the parts that were made, and delete those that they replace."""
        if not self.changed:
            return
        numbers = {part.source.number for part in self.parts if isinstance(part.source, StoredPart)}
        self.store.keep(self.content, numbers)
        free = (number for number in range(len(self.parts)) if number not in numbers)
        for part in self.parts:
            if isinstance(part.source, Summary):
                self.store.add(self.content, next(free), part.description, part.source)

    def description(self) -> Description:
        """Return what all parts together were made of."""
        merged = Description({}, ContentSum())
        for part in self.parts:
            merged = merged.merge(part.description)
        return merged

    def summary(self) -> Summary:
        """Merge all parts, the smallest first."""
        summaries = [self._summary(part) for part in self.parts] or [self._reader.summarized(self._reader.read(()))]
        while len(summaries) > 1:
            summaries.sort(key=lambda summary: -summary.rows)
            summaries.append(summaries.pop().merge(summaries.pop()))
        return summaries[0]

    @property
    def _reader(self) -> PartReader:
        return PartReader(self.rows, self.version.fitted, self.content)

    def _is_current(self, description: Description, removals: Mapping[int, int], relabelled: AbstractSet[int]) -> bool:
        same = all(removals.get(number) == removed for number, removed in description.batches.items())
        return same and not (self.content is SummaryContent.LABELS and relabelled & description.batches.keys())

    def _push(self, new: StatePart) -> None:
        """Add a part, merged with the smaller ones before it and those of about its size."""
        while self.parts and self._absorbs(new, self.parts[-1]):
            old = self.parts.pop()
            merged = self._summary(old).merge(self._summary(new))
            new = StatePart(old.description.merge(new.description), merged)
        self.parts.append(new)

    def _absorbs(self, new: StatePart, old: StatePart) -> bool:
        rows, more = old.description.rows, new.description.rows
        return rows <= GROWTH * more and (
            self.content is SummaryContent.FEATURES or rows + more <= chunk_parts.LARGEST_LABEL_PART
        )

    def _summary(self, part: StatePart) -> Summary:
        return part.source if isinstance(part.source, Summary) else self.store.summary(self.content, part.source)


@dataclass(frozen=True, slots=True, eq=False)
class ChunkState:
    """The state of one chunk: that of its features, which labels do not change, and that of its labels."""

    chunk: Chunk
    features: ContentState
    labels: ContentState
    pending_labels: Sequence[UncomputedLabels]

    @classmethod
    def renewed(cls, connection: Connection, version: Version, chunk: Chunk) -> Self:
        """Return the state of the rows and labels that are committed by now; the chunk must be claimed.

        Features and labels are read one after the other: where a correction or deletion removes rows in between, what
        has changed is read again, so that both are of the same rows.

        Raises:
            DatabaseBusy: rows were removed each time.
        """
        key = version.key
        rows = ChunkReader(connection, key, version.spec, chunk)
        store = StateStore(connection, key, version.spec_revision, chunk)
        pending_labels = relabelled_chunks.pending_of(connection, key, chunk)
        features, labels = (
            ContentState(content, store, rows, version) for content in (SummaryContent.FEATURES, SummaryContent.LABELS)
        )
        relabelled = rows.batches_of_labels(sorted({pending.batch_number for pending in pending_labels}))
        for _ in range(MOST_READINGS):
            removals = rows.removals()
            features.renew(removals)
            labels.renew(removals, relabelled)
            removed_now = rows.removals()
            if all(removed_now.get(number) == removed for number, removed in removals.items()):
                return cls(chunk, features, labels, pending_labels)
            relabelled = set()
        raise DatabaseBusy

    def save(self) -> None:
        """Store the state, in the transaction that stores the results; what was pending for it is done."""
        self.features.save()
        self.labels.save()
        store = self.labels.store
        relabelled_chunks.settle(store.connection, store.key, self.pending_labels)


def has_removals(connection: Connection, version: Version, chunk: Chunk) -> bool:
    """Return whether rows were removed from a chunk since its state was stored, or a deletion deleted the state."""
    key = version.key
    parts = StateStore(connection, key, version.spec_revision, chunk).parts(SummaryContent.FEATURES)
    removals = ChunkReader(connection, key, version.spec, chunk).removals()
    removed = {number: count for part in parts for number, count in part.description.batches.items()}
    return not parts or any(removals.get(number, 0) != count for number, count in removed.items())
