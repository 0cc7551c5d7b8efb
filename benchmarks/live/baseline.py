"""A plain insert of predictions, at the same rate: created, inserted by one statement, committed, seen by a reader."""

import time
from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Engine, MetaData, Table, func, insert, select

from benchmarks.live.feed import INTERVAL, RECORDS
from churn.tables import churn_predictions

SECONDS = 20
BARE = "bare_predictions"


def plain_inserts(engine: Engine, reader: Engine) -> pd.Series:
    """Insert stored predictions again into an empty table of the same shape; return the seconds of each row."""
    bare = Table(BARE, MetaData(), *(column._copy() for column in churn_predictions.columns))
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {BARE} LIKE {churn_predictions.name}")  # our own names
        batches = round(SECONDS / INTERVAL)
        rows = [dict(row) for row in connection.execute(select(churn_predictions).limit(batches * RECORDS)).mappings()]
        connection.commit()
    seconds: list[float] = []
    due = time.time()
    with engine.connect() as writer, reader.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
        for first in range(0, len(rows), RECORDS):
            due += INTERVAL
            time.sleep(max(0.0, due - time.time()))
            created = time.time()
            stamp = datetime.fromtimestamp(created, UTC).replace(tzinfo=None)
            batch = [{**row, "scored_at": stamp} for row in rows[first : first + RECORDS]]
            writer.execute(insert(bare), batch)
            writer.commit()
            assert other.execute(select(func.max(bare.c.scored_at))).scalar_one() == stamp
            seconds += [time.time() - created] * len(batch)
    return pd.Series(seconds)
