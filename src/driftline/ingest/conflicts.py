"""The rows of a batch that are stored with other content. No I/O here."""

import pyarrow as pa
import pyarrow.compute as pc

from driftline.engine.results import ID
from driftline.errors import PredictionConflict, RowFault

CURE = "is stored with different content; send an intended change as a correction"


def with_rows(conflict: PredictionConflict, sent_ids: pa.ChunkedArray, rows_before: int) -> PredictionConflict:
    """Return a conflict that lists the rows, by the ids in the order in which they were sent."""
    places = pc.index_in(pa.array(conflict.ids, sent_ids.type), sent_ids).to_pylist()
    numbered = zip(conflict.ids, places, strict=True)
    faults = [RowFault(rows_before + place + 1, ID, name, CURE) for name, place in numbered]
    return PredictionConflict(conflict.message, details=conflict.details, rows=faults)
