"""The instants of each record, from its creation to its stored prediction, in seconds since the epoch."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Engine, select

from churn.columns import Cdr, Processed, Topic
from churn.tables import cdr, churn_predictions
from stack.testing.committed_messages import committed_messages

CREATED, COMMITTED, SENT, STARTED, SCORED, STORED = "created", "committed", "sent", "started", "scored", "stored"
STAGES = {
    "created, committed in MySQL": (CREATED, COMMITTED),
    "sent to Kafka by the relay": (COMMITTED, SENT),
    "in Kafka until its micro-batch starts": (SENT, STARTED),
    "read, features computed, scored": (STARTED, SCORED),
    "stored by one transaction": (SCORED, STORED),
}
"""The stages by their title: the instants between which each lies."""


def timeline(engine: Engine, bootstrap_servers: str, checkpoint: Path, seen: Mapping[int, float]) -> pd.DataFrame:
    """Return one row for each prediction, with the instants of its record.

    `created` is the record's own stamp, `sent` the message's, `started` the micro-batch's in Spark's log of offsets,
    `scored` the prediction's; `committed` and `stored` are when an observer first saw the batches.
    """
    rows = _predictions(engine).merge(_messages(bootstrap_servers), on=[Processed.USER, Cdr.RECORD_ID])
    rows[STARTED] = _starts(checkpoint, rows)
    for name, batch in ((COMMITTED, "record_batch"), (STORED, "prediction_batch")):
        rows[name] = rows[batch].map(seen)
    return rows.sort_values(CREATED, ignore_index=True)


def _predictions(engine: Engine) -> pd.DataFrame:
    """Return today's records with their predictions, and when and in which batch each was written."""
    today = datetime.now(UTC).date()
    joined = cdr.join(churn_predictions, churn_predictions.c[Processed.USER] == cdr.c[Cdr.MSISDN])
    statement = (
        select(
            cdr.c[Cdr.MSISDN].label(Processed.USER),
            cdr.c[Cdr.RECORD_ID],
            cdr.c[Cdr.DATE].label(CREATED),
            cdr.c[Cdr.BATCH_NUMBER].label("record_batch"),
            churn_predictions.c["scored_at"].label(SCORED),
            churn_predictions.c["batch_number"].label("prediction_batch"),
        )
        .select_from(joined)
        .where(churn_predictions.c[Processed.DATE] == today, cdr.c[Cdr.DATE] >= today)
    )
    with engine.connect() as connection:
        result = connection.execute(statement)
        frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    for name in (CREATED, SCORED):
        frame[name] = frame[name].astype("datetime64[us]").astype("int64") / 1e6
    return frame


def _messages(bootstrap_servers: str) -> pd.DataFrame:
    """Return user, record id, partition, offset and stamp of the committed messages."""
    rows = []
    for message in committed_messages(bootstrap_servers, Topic.CDR_RECORDS):
        value = json.loads(message.value())
        place = (message.partition(), message.offset(), message.timestamp()[1] / 1000)
        rows.append((value[Cdr.MSISDN], value[Cdr.RECORD_ID], *place))
    return pd.DataFrame(rows, columns=[Processed.USER, Cdr.RECORD_ID, "partition", "offset", SENT])


def _starts(checkpoint: Path, rows: pd.DataFrame) -> pd.Series:
    """Return the start of each row's micro-batch: the first in Spark's log of offsets that ends after its message."""
    starts, ends = micro_batches(checkpoint)
    result = pd.Series(np.nan, rows.index)
    for partition, group in rows.groupby("partition"):
        place = np.searchsorted([end.get(str(partition), 0) for end in ends], group["offset"], side="right")
        result[group.index] = np.append(starts, np.nan)[place]
    return result


def micro_batches(checkpoint: Path) -> tuple[np.ndarray, list[dict[str, int]]]:
    """Return the starts of the micro-batches, and the offsets at which each ended by partition."""
    files = sorted((path for path in (checkpoint / "offsets").glob("[0-9]*")), key=lambda path: int(path.name))
    starts, ends = [], []
    for path in files:
        _, metadata, offsets = path.read_text().splitlines()
        starts.append(json.loads(metadata)["batchTimestampMs"] / 1000)
        ends.append(json.loads(offsets)[Topic.CDR_RECORDS])
    return np.array(starts), ends


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.2)
