"""Removed rows of stored batches: another batch has corrected or deleted them.

A batch keeps its data and the positions of its rows. Whoever reads a batch leaves out the positions that are listed
here, and reads them after the numbers of the batches: a correction that commits in between then removes rows of which
the new content is not read, but it is pending for the reader and touches the same chunk, which is computed again.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, insert, select

from driftline.engine.frames.columns import IntArray
from driftline.store.tables import removed_rows

BATCH, POSITION = "batch_number", "batch_position"
"""The columns of a table of rows that say where each is stored."""
BATCHES_AT_ONCE = 2_000


def removed_places(connection: Connection, batch_numbers: Iterable[int]) -> pd.DataFrame:
    """Return the batch number and the position of each removed row of some batches."""
    numbers = sorted({int(number) for number in batch_numbers})
    columns = (removed_rows.c.batch_number, removed_rows.c.position)
    rows: list[tuple[int, int]] = []
    for first in range(0, len(numbers), BATCHES_AT_ONCE):
        selected = removed_rows.c.batch_number.in_(numbers[first : first + BATCHES_AT_ONCE])
        rows += [(number, position) for number, position in connection.execute(select(*columns).where(selected))]
    return pd.DataFrame(rows, columns=[BATCH, POSITION], dtype=np.int64)


def without_removed(connection: Connection, table: pa.Table) -> pa.Table:
    """Return the rows of a table that are not removed; its columns `BATCH` and `POSITION` say where each is stored."""
    places = removed_places(connection, np.unique(table.column(BATCH).to_numpy()))
    if places.empty:
        return table
    stored = place_keys(table.column(BATCH).to_numpy(), table.column(POSITION).to_numpy())
    removed = np.isin(stored, place_keys(places[BATCH].to_numpy(), places[POSITION].to_numpy()))
    return table.filter(pa.array(~removed))


def remove(connection: Connection, model_number: int, places: pd.DataFrame, by_batch: int) -> None:
    """List rows as removed by a batch; `places` has `BATCH`, `POSITION` and the id (None where it is to be erased)."""
    rows = [
        {
            "batch_number": int(number),
            "position": int(position),
            "by_batch": by_batch,
            "model_number": model_number,
            "id": name,
        }
        for number, position, name in places[[BATCH, POSITION, "id"]].itertuples(index=False)
    ]
    if rows:
        connection.execute(insert(removed_rows), rows)


def place_keys(numbers: IntArray, positions: IntArray) -> IntArray:
    """Return one number for each place; a batch has fewer than 2**20 rows."""
    return np.asarray(numbers, dtype=np.int64) << 20 | np.asarray(positions, dtype=np.int64)
