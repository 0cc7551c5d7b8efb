"""Writing records into `DP_CDR_Data`: one batch of the ledger, by LOAD DATA."""

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
"""What is written of a record; the batch's number is the same for all."""


@dataclass(frozen=True)
class RecordBatch:
    """Records with the id of their batch: `frame` has `COLUMNS`, aware stamps, at most 100,000 rows."""

    id: str
    kind: ChurnBatchKind
    frame: pd.DataFrame


def write_records(connection: Connection, batch: RecordBatch, now: datetime, consumers: Collection[str] = ()) -> int:
    """Write a batch of records through the ledger; give the rows added, 0 where the batch is there already.

    Raises:
        BatchConflict: the batch is there with other content.
        InvalidInput: MySQL would not take a value, or too many rows.
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
