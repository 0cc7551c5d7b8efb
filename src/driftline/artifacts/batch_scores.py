"""The output of a binary model's trees for batches of Arrow, as Spark's workers compute it. No I/O here."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import treelite

from driftline.artifacts.inputs import Matrix
from driftline.artifacts.tree_output import tree_output


def with_output(
    trees: bytes, features: Sequence[str], name: str, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Add the score of class 1, before a calibration, to each batch as its last column.

    `trees` are serialized by treelite, and `features` are the numeric columns that they take, in their order; a missing
    value is NaN to them.
    """
    model = treelite.Model.deserialize_bytes(trees)
    for batch in batches:
        scores = tree_output(model, _matrix(batch, features))[:, -1] if batch.num_rows else np.empty(0)
        yield batch.append_column(name, pa.array(scores, pa.float64()))


def _matrix(batch: pa.RecordBatch, features: Sequence[str]) -> Matrix:
    columns = [batch.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False) for name in features]
    return np.column_stack(columns)
