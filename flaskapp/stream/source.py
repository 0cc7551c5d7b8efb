"""The content of a stream's batches, which follows from its plan. No I/O here."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd

from churn.columns import CDR_USAGE, Cdr, prediction_id
from churn.ledger import ChurnBatchKind
from flaskapp.records import COLUMNS, RecordBatch
from flaskapp.stream.plan import StreamPlan, batch_id
from flaskapp.world.frames import NUMBER
from flaskapp.world.world import World

ROWS_OF_A_DAY = 500_000
"""The most rows that an undated stream takes from one day of the world before it continues with the next."""

DAY = timedelta(days=1)


class StreamSource:
    """Makes the batches of one stream, in any order; a batch is always the same, except for the stamps if undated."""

    def __init__(self, plan: StreamPlan) -> None:
        """Build the world of a plan."""
        self.plan = plan
        self.world = World(plan.world)
        self._parts = min(plan.num_batches, max(1, ROWS_OF_A_DAY // plan.batch_size))
        self._cut = lru_cache(maxsize=1)(self._cut_day)

    def records(self, number: int, now: datetime) -> RecordBatch:
        """Return batch `number` (from 1) of records; `now` is the stamp of an undated stream's records."""
        frame = self._day_frame(number) if self.plan.dated else self._part_frame(number, now)
        return RecordBatch(batch_id(self.plan.run_id, number), ChurnBatchKind.RECORDS, frame)

    def label_batch_id(self, number: int) -> str:
        """Return the id of the batch of labels that follows batch `number` of records."""
        return f"labels/{self.plan.short_id}/{number}"

    def labels(self, number: int) -> pd.DataFrame:
        """Return the labels known from the end of batch `number`'s day on: id, value, known_at, day of the record.

        Labels of days before the stream, within the label delay, are included. An undated stream has no labels, because
        it writes parts of days.
        """
        day = self.plan.day(number)
        since = self.plan.world.start_date - self.plan.world.label_delay * DAY
        new_labels = self.world.labels_known_on(day, since if self.plan.dated else day)
        return label_frame(new_labels, pd.Timestamp(day + DAY, tz=UTC))

    def _day_frame(self, number: int) -> pd.DataFrame:
        day = self.plan.day(number)
        return self._stamped(self.world.records_of_day(day), pd.Timestamp(day, tz=UTC), f"{day:%Y%m%d}")

    def _part_frame(self, number: int, now: datetime) -> pd.DataFrame:
        day, part = divmod(number - 1, self._parts)
        return self._stamped(self._cut(day)[part], pd.Timestamp(now), str(number))

    def _stamped(self, frame: pd.DataFrame, stamp: pd.Timestamp, period: str) -> pd.DataFrame:
        """Return the columns to write: all records get one stamp, and ids of run, period and number."""
        columns: dict[str, object] = {name: frame[name] for name in COLUMNS if name in frame}
        columns[Cdr.DATE] = pd.Series(stamp.as_unit("us"), frame.index)
        columns[Cdr.RECORD_ID] = f"{self.plan.short_id}:{period}:" + frame[NUMBER].astype(str)
        return pd.DataFrame({name: columns[name] for name in COLUMNS}, copy=False)

    def _cut_day(self, day: int) -> list[pd.DataFrame]:
        records = self.world.records_of_day(self.plan.world.start_date + day * DAY).head(self.plan.batch_size)
        return [_with_zero_usage(part, records) for part in self.world.split(records, self._parts)]


def _with_zero_usage(part: pd.DataFrame, day: pd.DataFrame) -> pd.DataFrame:
    """Add a record with zero usage for each subscriber who has none in this part; NULLs of the day stay NULL."""
    unseen = day.loc[~day[NUMBER].isin(part[NUMBER])].copy()
    usage = [str(column) for column in CDR_USAGE]
    unseen[usage] = unseen[usage].where(unseen[usage].isna(), 0)
    return pd.concat([part, unseen]).sort_values(NUMBER, ignore_index=True)


def label_frame(labels: pd.DataFrame, known_at: pd.Timestamp) -> pd.DataFrame:
    """Return the world's labels as labels of predictions: id, value, known_at, day."""
    days = labels[Cdr.DATE].dt.floor("D")
    positions, distinct = pd.factorize(days)
    prefixes = np.array([prediction_id(f"{day:%Y-%m-%d}", "") for day in distinct], dtype=object)
    columns = {
        "id": prefixes[positions] + labels[Cdr.MSISDN].to_numpy(object),
        "value": labels[Cdr.PSEUDO_CHURNED].astype("int64"),
        "known_at": known_at,
        "day": days,
    }
    return pd.DataFrame(columns)
