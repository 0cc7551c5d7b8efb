"""Writes records into `DP_CDR_Data`: one batch of the ledger, by LOAD DATA."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from churn.columns import CDR_USAGE, Cdr
from churn.ledger import ChurnBatchKind
from churn.tables import cdr
from driftline.store import bulk, ledger

COLUMNS: tuple[str, ...] = (Cdr.DATE, Cdr.MSISDN, Cdr.RECORD_ID, *CDR_USAGE, Cdr.PSEUDO_CHURNED)
"""The columns written for each record; the batch number is the same for all of them."""


@dataclass(frozen=True)
class RecordBatch:
    """A batch of records: `frame` has `COLUMNS`, aware stamps and at most 100,000 rows."""

    id: str
    kind: ChurnBatchKind
    frame: pd.DataFrame


def write_records(connection: Connection, batch: RecordBatch, now: datetime, consumers: Collection[str] = ()) -> int:
    """Write a batch of records through the ledger; return the number of new rows, 0 if the batch already exists.

    Raises:
        BatchConflict: the batch exists with other content.
        InvalidInput: MySQL rejects a value, or there are too many rows.
    """
    payload = bulk.encode(batch.frame, COLUMNS)
    stamps = batch.frame[Cdr.DATE]
    entry = ledger.Batch(
        id=batch.id,
        kind=batch.kind,
        content_hash=ledger.content_hash(payload),
        rows=len(batch.frame),
        written_at=now,
        first_event=stamps.min().to_pydatetime() if len(stamps) else None,
        last_event=stamps.max().to_pydatetime() if len(stamps) else None,
    )
    number = ledger.open_batch(connection, entry, consumers)
    if number is None or batch.frame.empty:
        return 0
    return bulk.load(connection, cdr, COLUMNS, payload, {Cdr.BATCH_NUMBER: number})
