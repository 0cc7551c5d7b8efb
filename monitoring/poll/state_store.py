"""The state store: the mergeable summaries of each chunk, in parts that say which batches they were made of."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from driftline import __version__
from driftline.clock import naive_utc
from driftline.engine.chunks import Chunk
from driftline.engine.content_sum import ContentSum
from driftline.engine.fitted_methods import Content, Summary
from driftline.engine.summary_codec import FORMAT, decode, encode
from driftline.errors import DriftlineError
from driftline.store.tables import chunk_states
from driftline.store.version_key import VersionKey

PIECE_BYTES = 8 * 1024 * 1024
"""The largest piece of a summary that is stored in one row; a server's `max_allowed_packet` is 16 MB or more."""
_COLUMNS = chunk_states.c


class StateDeleted(DriftlineError):
    """A deletion of rows has deleted the state of their chunk while it was read; the next poll computes it again."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a part of a chunk's state was made of.

    `batches` has, by the number of each batch, how many of its rows were removed: where another number is, the part is
    made again. `sources` are the batches that its rows and labels come from, `labelled` how many rows have a label,
    `labels_as_of` the newest label's instant.
    """

    batches: Mapping[int, int]
    content: ContentSum
    sources: frozenset[int] = frozenset()
    labelled: int = 0
    labels_as_of: datetime | None = None

    @property
    def rows(self) -> int:
        """How many rows the part has."""
        return self.content.rows

    def merge(self, other: "Description") -> "Description":
        """Describe both parts together."""
        instants = [at for at in (self.labels_as_of, other.labels_as_of) if at is not None]
        return Description(
            {**self.batches, **other.batches},
            self.content.merge(other.content),
            self.sources | other.sources,
            self.labelled + other.labelled,
            max(instants, default=None),
        )

    def to_json(self) -> str:
        """Return the description as JSON."""
        return json.dumps(
            {
                "batches": [*self.batches.items()],
                "rows": self.content.rows,
                "sums": self.content.sums,
                "sources": sorted(self.sources),
                "labelled": self.labelled,
                "labels_as_of": self.labels_as_of and self.labels_as_of.isoformat(),
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> "Description":
        """Return what `to_json` was made from."""
        stored = json.loads(text)
        first, second = stored["sums"]
        return cls(
            dict(stored["batches"]),
            ContentSum(stored["rows"], (first, second)),
            frozenset(stored["sources"]),
            stored["labelled"],
            stored["labels_as_of"] and datetime.fromisoformat(stored["labels_as_of"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class StoredPart:
    """A stored part of a chunk's state: its number, and what it was made of. Its summary is read when it is needed."""

    number: int
    description: Description


class StateStore:
    """Reads and writes the state of one chunk under one spec revision; what was stored under another is not read."""

    def __init__(self, connection: Connection, key: VersionKey, spec_revision: int, chunk: Chunk) -> None:
        """Store what the state is of; nothing is read yet."""
        self.connection, self.key, self.spec_revision, self.chunk = connection, key, spec_revision, chunk

    def parts(self, content: Content) -> list[StoredPart]:
        """Return the parts of the state of features or of labels that this code can read."""
        readable = and_(
            self._of_chunk(content),
            _COLUMNS.piece == 0,
            _COLUMNS.chunk_end == naive_utc(self.chunk.end),
            _COLUMNS.spec_revision == self.spec_revision,
            _COLUMNS.format == _format(),
        )
        rows = self.connection.execute(select(_COLUMNS.part, _COLUMNS.description).where(readable))
        return [StoredPart(number, Description.from_json(description)) for number, description in rows]

    def summary(self, content: Content, part: StoredPart) -> Summary:
        """Read the summary of a part.

        Raises:
            StateDeleted: the part is not there any more. DamagedSummary: it cannot be decoded.
        """
        of_part = and_(self._of_chunk(content), _COLUMNS.part == part.number)
        pieces = self.connection.execute(select(_COLUMNS.data).where(of_part).order_by(_COLUMNS.piece)).scalars().all()
        if not pieces:
            raise StateDeleted
        summary: Summary = decode(b"".join(pieces))
        return summary

    def keep(self, content: Content, numbers: Iterable[int]) -> None:
        """Delete all parts but some, those included that this code cannot read."""
        self.connection.execute(delete(chunk_states).where(self._of_chunk(content), _COLUMNS.part.not_in([*numbers])))

    def add(self, content: Content, number: int, description: Description, summary: Summary) -> None:
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
                "description": description.to_json() if piece == 0 else None,
                "data": data[first : first + PIECE_BYTES],
            }
            self.connection.execute(insert(chunk_states).values(values))

    def _identity(self, content: Content) -> dict[str, Any]:
        return {
            "model_number": self.key.model_number,
            "model_version": self.key.version,
            "chunk_start": naive_utc(self.chunk.start),
            "content": content.value,
        }

    def _of_chunk(self, content: Content) -> ColumnElement[bool]:
        return and_(*(_COLUMNS[name] == value for name, value in self._identity(content).items()))


def _format() -> str:
    """Return the format of states that this code writes: other code may mean something else by the same fields."""
    return f"{FORMAT} {__version__}"
