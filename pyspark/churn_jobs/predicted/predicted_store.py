"""Predictions in the example's own table, `churn_predictions`, with real columns for those who read it by SQL."""

import pandas as pd
from sqlalchemy import Connection, select

from churn.columns import Processed
from churn.tables import churn_predictions
from driftline.engine.results import ID
from driftline.store import bulk, ledger

COLUMNS = tuple(column.name for column in churn_predictions.columns if column.name != "batch_number")


def add(connection: Connection, batch_id: str, frame: pd.DataFrame) -> int:
    """Add the rows of one day that are not stored yet, in the transaction of their batch; return their number."""
    day = frame[Processed.DATE].iloc[0]
    stored = connection.execute(select(churn_predictions.c[ID]).where(churn_predictions.c[Processed.DATE] == day))
    new = frame[~frame[ID].isin(stored.scalars().all())]
    number = ledger.number_of(connection, batch_id)
    return bulk.load(connection, churn_predictions, COLUMNS, bulk.encode(new, COLUMNS), {"batch_number": number})
