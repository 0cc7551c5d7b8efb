"""Predictions in the example's own table, `churn_predictions`, with real columns for those who read it by SQL."""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection, select

from churn.tables import churn_predictions
from driftline.engine.results import ID
from driftline.store import bulk, ledger

COLUMNS = tuple(column.name for column in churn_predictions.columns if column.name != "batch_number")


AT_ONCE = 2_000
"""Ids of one statement."""


def add(connection: Connection, batch_id: str, frame: pd.DataFrame, *, all_new: bool) -> int:
    """Add the rows that are not stored yet, or all, in the transaction of their batch; return their number."""
    new = frame if all_new else frame[~frame[ID].isin(stored_ids(connection, frame[ID].tolist()))]
    number = ledger.number_of(connection, batch_id)
    return bulk.load(connection, churn_predictions, COLUMNS, bulk.encode(new, COLUMNS), {"batch_number": number})


def stored_ids(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Return those of the ids that are stored."""
    stored: set[str] = set()
    for first in range(0, len(ids), AT_ONCE):
        some = churn_predictions.c[ID].in_(ids[first : first + AT_ONCE])
        stored.update(connection.execute(select(churn_predictions.c[ID]).where(some)).scalars())
    return stored
