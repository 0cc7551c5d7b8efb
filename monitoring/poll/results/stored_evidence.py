"""The evidence store: the counts, the evidence and the detector's state of the current revision of each chunk."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select, update

from driftline.clock import aware_utc, naive_utc
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.evidence.families import Stage
from driftline.engine.evidence.problems import counts_from_list
from driftline.engine.evidence.scores.counts import Counts
from driftline.store.tables import chunk_revisions
from driftline.store.version_key import VersionKey

_COLUMNS = chunk_revisions.c
DetectorJson = Mapping[str, Any]
"""A stored history of the detector (`DetectorHistory.to_dict`)."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredEvidence:
    """The stored evidence of one chunk: its counts and, since the last replay, their evidence and the detector's state.

    `by_stage` has the evidence of the scores and that of the labels. `detector` is None before the chunk has closed.
    """

    chunk: Chunk
    closed: bool
    rows: int
    labelled: int
    counts: Counts
    drift_lasts: bool
    by_stage: Mapping[Stage, ChunkEvidence]
    detector: DetectorJson | None

    @property
    def evidence(self) -> ChunkEvidence:
        """The evidence of the scores and the labels together."""
        return _merged(self.by_stage)

    def same_as(self, other: "StoredEvidence") -> bool:
        """Return whether a replay left everything as it was."""
        same = (self.drift_lasts, self.by_stage, self.detector)
        return same == (other.drift_lasts, other.by_stage, other.detector)


class EvidenceStore:
    """Reads and writes the evidence of one model version; with a spec revision, of chunks computed under it alone."""

    def __init__(self, key: VersionKey, spec_revision: int | None = None) -> None:
        """Store the version's key; nothing is opened."""
        self.key, self.spec_revision = key, spec_revision

    def last_before(self, connection: Connection, start: datetime) -> StoredEvidence | None:
        """Return the last closed chunk before `start` whose detector's state is stored, or None."""
        earlier = and_(_COLUMNS.chunk_start < naive_utc(start), _COLUMNS.detector.is_not(None))
        return next(iter(self._read(connection, earlier, newest_first=True, limit=1)), None)

    def between(
        self, connection: Connection, first: datetime | None, last: datetime | None = None, limit: int | None = None
    ) -> list[StoredEvidence]:
        """Return the chunks that start from `first` to `last`, both included, oldest first, at most `limit`."""
        conditions: list[ColumnElement[bool]] = [_COLUMNS.score_counts.is_not(None)]
        conditions += [_COLUMNS.chunk_start >= naive_utc(first)] if first is not None else []
        conditions += [_COLUMNS.chunk_start <= naive_utc(last)] if last is not None else []
        return self._read(connection, and_(*conditions), limit=limit)

    def evidence_between(
        self, connection: Connection, first: datetime, last: datetime
    ) -> dict[datetime, ChunkEvidence]:
        """Return by start the evidence of the chunks that start from `first` to `last`, both included."""
        within = _COLUMNS.chunk_start.between(naive_utc(first), naive_utc(last))
        rows = connection.execute(
            select(_COLUMNS.chunk_start, _COLUMNS.evidence).where(
                self._is_version(), _COLUMNS.current, within, _COLUMNS.evidence.is_not(None)
            )
        )
        return {aware_utc(start): merged_evidence(stored) for start, stored in rows}

    def write_counts(self, connection: Connection, start: datetime, counts: Counts | None) -> None:
        """Store the counts of a chunk's current revision."""
        stored = counts and json.dumps(counts.to_list(), separators=(",", ":"))
        connection.execute(update(chunk_revisions).where(self._current(start)).values(score_counts=stored))

    def write(self, connection: Connection, chunks: Iterable[StoredEvidence]) -> None:
        """Store the evidence of chunks and the detector's state that a replay has computed."""
        for chunk in chunks:
            by_stage = {stage.value: evidence.to_dict() for stage, evidence in chunk.by_stage.items()}
            values = {
                "drift_lasts": chunk.drift_lasts,
                "evidence": json.dumps(by_stage, separators=(",", ":")),
                "detector": chunk.detector and json.dumps(chunk.detector, separators=(",", ":")),
            }
            connection.execute(update(chunk_revisions).where(self._current(chunk.chunk.start)).values(**values))

    def _read(
        self,
        connection: Connection,
        condition: ColumnElement[bool],
        *,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvidence]:
        order = _COLUMNS.chunk_start.desc() if newest_first else _COLUMNS.chunk_start
        rows = connection.execute(
            select(chunk_revisions).where(self._is_version(), _COLUMNS.current, condition).order_by(order).limit(limit)
        )
        return [_stored(row) for row in rows.mappings()]

    def _current(self, start: datetime) -> ColumnElement[bool]:
        return and_(self._is_version(), _COLUMNS.chunk_start == naive_utc(start), _COLUMNS.current)

    def _is_version(self) -> ColumnElement[bool]:
        of_key = self.key.rows_of(chunk_revisions)
        return of_key if self.spec_revision is None else and_(of_key, _COLUMNS.spec_revision == self.spec_revision)


def _by_stage(stored: str | None) -> dict[Stage, ChunkEvidence]:
    """Return the evidence of the scores and that of the labels, from its JSON."""
    values = json.loads(stored) if stored else {}
    return {Stage(stage): ChunkEvidence.from_dict(evidence) for stage, evidence in values.items()}


def merged_evidence(stored: str | None) -> ChunkEvidence:
    """Return the evidence of the scores and the labels together, from the JSON of both."""
    return _merged(_by_stage(stored))


def _merged(by_stage: Mapping[Stage, ChunkEvidence]) -> ChunkEvidence:
    return reduce(ChunkEvidence.merge, (by_stage[stage] for stage in Stage if stage in by_stage), ChunkEvidence())


def _stored(row: Mapping[Any, Any]) -> StoredEvidence:
    return StoredEvidence(
        chunk=Chunk(aware_utc(row["chunk_start"]), aware_utc(row["chunk_end"])),
        closed=bool(row["closed"]),
        rows=row["rows_seen"],
        labelled=row["rows_labelled"],
        counts=counts_from_list(json.loads(row["score_counts"])),
        drift_lasts=bool(row["drift_lasts"]),
        by_stage=_by_stage(row["evidence"]),
        detector=json.loads(row["detector"]) if row["detector"] else None,
    )
