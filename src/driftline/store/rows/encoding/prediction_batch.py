"""A batch of predictions before its transaction: in order, hashed and encoded. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.results import EVENT_TIME, ID
from driftline.store import bulk
from driftline.store.rows.encoding import columnar
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION, SCORED_AT, PredictionSchema

OUTPUTS, FEATURES = "outputs", "features"
IN_ORDER = [(EVENT_TIME, "ascending"), (ID, "ascending")]
"""The order of the rows of a batch, and of those that are read."""
ID_COLUMNS = (ID, MODEL_VERSION, EVENT_TIME, "position")
"""The columns of `predictions` that differ from row to row."""


@dataclass(frozen=True, slots=True)
class EncodedPart:
    """Consecutive rows of a batch: their first position, how many, and their outputs and features as blobs."""

    first: int
    rows: pa.Table
    blobs: dict[str, bytes]


@dataclass(frozen=True)
class PredictionBatch:
    """The rows of a batch in order of event time and id; `assumed` are columns of which nobody sent the values.

    Those and `scored_at` do not count where the content is compared: sent again, it is the same content though it is
    scored at another time, or by default with another version.
    """

    table: pa.Table
    schema: PredictionSchema
    assumed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, table: pa.Table, schema: PredictionSchema, assumed: frozenset[str] = frozenset()) -> "PredictionBatch":
        """Return the batch of a table of the schema's columns, in any order."""
        return cls(in_order(table), schema, assumed)

    @property
    def uncompared(self) -> list[str]:
        """The columns that do not count where contents are compared."""
        return [SCORED_AT, *sorted(self.assumed)]

    @cached_property
    def content_hash(self) -> str:
        """The hash of the rows that were sent."""
        return columnar.content_hash(self.table.drop_columns(self.uncompared))

    @cached_property
    def parts(self) -> tuple[EncodedPart, ...]:
        """The rows as blobs; a part's rows are its event times alone."""
        return tuple(self._encoded())

    @cached_property
    def id_rows(self) -> bytes:
        """The rows of `predictions`, as `bulk.load` takes them, in the order of their key.

        Rows in this order load faster, and two writers of the same ids wait for each other rather than deadlock.
        """
        positions = pa.array(np.arange(self.table.num_rows))
        rows = self.table.select([ID, MODEL_VERSION, EVENT_TIME]).append_column("position", positions)
        return bulk.encode_table(rows.take(pc.sort_indices(rows.column(ID).cast(pa.binary()))))

    def only(self, rows: pa.Array) -> "PredictionBatch":
        """Return the batch of some of the rows; `rows` tells of each whether it is one of them."""
        return PredictionBatch(self.table.filter(rows), self.schema, self.assumed)

    def _encoded(self) -> Iterator[EncodedPart]:
        for first, part in columnar.cut(self.table):
            kinds = {OUTPUTS: self.schema.outputs, FEATURES: self.schema.features}
            blobs = {content: columnar.encode(part.select(schema.names)) for content, schema in kinds.items()}
            yield EncodedPart(first, part.select([EVENT_TIME]), blobs)


def in_order(table: pa.Table) -> pa.Table:
    """Return rows in the order of a batch; a table that is in order stays as it is."""
    places = pc.sort_indices(table.select([EVENT_TIME, ID]), sort_keys=IN_ORDER)
    if bool(np.all(np.diff(np.asarray(places, dtype=np.int64)) > 0)):
        return table
    return table.take(places)
