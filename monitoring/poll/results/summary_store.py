"""Stores the mergeable summaries of each chunk (table `chunk_states`), in parts that name the batches they cover."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from driftline import __version__
from driftline.clock import naive_utc
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.computation.fitted_methods import Summary, SummaryContent
from driftline.engine.computation.summary_codec import FORMAT, decode, encode
from driftline.errors import DriftlineError
from driftline.store.rows.reading.chunk_parts import PartProvenance
from driftline.store.tables import chunk_states
from driftline.store.version_key import VersionKey

log = logging.getLogger(__name__)

PIECE_BYTES = 8 * 1024 * 1024
"""The largest piece of a summary that is stored in one row; a server's `max_allowed_packet` is 16 MB or more."""
_COLUMNS = chunk_states.c


class SummaryDeleted(DriftlineError):
    """A deletion has deleted the summaries of the chunk during this read; the next poll computes them again."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredPart:
    """A stored part of a chunk's summary: its number, and the batches it covers. The summary is read on demand."""

    number: int
    provenance: PartProvenance


class SummaryStore:
    """Reads and writes the summaries of one chunk under one spec revision; those of other revisions are not read."""

    def __init__(self, connection: Connection, key: VersionKey, spec_revision: int, chunk: Chunk) -> None:
        """Identify the chunk and the spec revision; nothing is read yet."""
        self.connection, self.key, self.spec_revision, self.chunk = connection, key, spec_revision, chunk

    def parts(self, content: SummaryContent) -> list[StoredPart]:
        """Return the stored parts of the features' or labels' summary that this version of Driftline can read.

        If there are others, a message is logged: reading their rows again may take long.
        """
        columns = (_COLUMNS.part, _COLUMNS.description, _COLUMNS.chunk_end, _COLUMNS.spec_revision, _COLUMNS.format)
        first_pieces = select(*columns).where(self._is_chunk(content), _COLUMNS.piece == 0)
        rows = self.connection.execute(first_pieces).all()
        current = (naive_utc(self.chunk.end), self.spec_revision, _format())
        readable = [row for row in rows if (row.chunk_end, row.spec_revision, row.format) == current]
        if len(readable) < len(rows):
            log.info(
                "Model %d version %d: the state (%s) of the chunk of %s is of another version of Driftline, spec or"
                " calendar; all rows are read again.",
                *(self.key.model_number, self.key.version, content, self.chunk.start.isoformat()),
            )
        return [StoredPart(row.part, PartProvenance.from_json(row.description)) for row in readable]

    def summary(self, content: SummaryContent, part: StoredPart) -> Summary:
        """Read the summary of a part.

        Raises:
            SummaryDeleted: the part was deleted meanwhile. DamagedSummary: it cannot be decoded.
        """
        of_part = and_(self._is_chunk(content), _COLUMNS.part == part.number)
        pieces = self.connection.execute(select(_COLUMNS.data).where(of_part).order_by(_COLUMNS.piece)).scalars().all()
        if not pieces:
            raise SummaryDeleted
        summary: Summary = decode(b"".join(pieces))
        return summary

    def merged(self, content: SummaryContent) -> Summary | None:
        """Return the merged summary of all parts; None if no readable part is stored.

        Raises:
            DamagedSummary: a part cannot be decoded.
        """
        try:
            summaries = [self.summary(content, part) for part in self.parts(content)]
        except SummaryDeleted:
            return None
        return reduce(Summary.merge, summaries) if summaries else None

    def keep(self, content: SummaryContent, numbers: Iterable[int]) -> None:
        """Delete all parts except these, including parts that this version of Driftline cannot read."""
        self.connection.execute(delete(chunk_states).where(self._is_chunk(content), _COLUMNS.part.not_in([*numbers])))

    def add(self, content: SummaryContent, number: int, provenance: PartProvenance, summary: Summary) -> None:
        """Store a part under a number that no other part has."""
        data = encode(summary)
        for piece, first in enumerate(range(0, len(data), PIECE_BYTES)):
            values: dict[str, Any] = {
                **self._identity(content),
                "part": number,
                "piece": piece,
                "chunk_end": naive_utc(self.chunk.end),
                "spec_revision": self.spec_revision,
                "format": _format(),
                "description": provenance.to_json() if piece == 0 else None,
                "data": data[first : first + PIECE_BYTES],
            }
            self.connection.execute(insert(chunk_states).values(values))

    def _identity(self, content: SummaryContent) -> dict[str, Any]:
        return {
            "model_number": self.key.model_number,
            "model_version": self.key.version,
            "chunk_start": naive_utc(self.chunk.start),
            "content": content.value,
        }

    def _is_chunk(self, content: SummaryContent) -> ColumnElement[bool]:
        return and_(*(_COLUMNS[name] == value for name, value in self._identity(content).items()))


def _format() -> str:
    """Return the format of summaries that this code writes: other versions may use the same fields differently."""
    return f"{FORMAT} {__version__}"
