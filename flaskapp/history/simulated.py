"""A simulated history, as batches of records. The same parameters always give the same batches. No I/O here."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pandas as pd

from churn.columns import Cdr
from churn.ledger import ChurnBatchKind
from driftline.errors import InvalidInput
from driftline.store.ledger import MAX_ROWS
from flaskapp.history.loading import HistorySpan
from flaskapp.progress import Progress
from flaskapp.records import COLUMNS, RecordBatch
from flaskapp.world.frames import NUMBER
from flaskapp.world.parameters import Parameters
from flaskapp.world.world import World

SHORT = 16
DAYS_PER_BATCH = 10
MOST_DAYS = 3650
DAY = timedelta(days=1)


@dataclass(frozen=True)
class SimulatedHistory:
    """Simulated days up to and including `until`; a stream with the same seed and subscribers continues their world.

    Raises:
        InvalidInput: a parameter is out of range.
    """

    days: int
    subscribers: int
    until: date
    seed: int
    label_delay: int

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MOST_DAYS:
            raise InvalidInput(f"A history has 1 to {MOST_DAYS:,} days, not {self.days}; correct the number of days.")
        _ = self.parameters

    @property
    def first_day(self) -> date:
        """The first day."""
        return self.until - (self.days - 1) * DAY

    @property
    def parameters(self) -> Parameters:
        """The world's parameters."""
        return Parameters(self.seed, self.first_day, self.subscribers, (), self.label_delay)

    @property
    def span(self) -> HistorySpan:
        """The period of the history; the ids of its batches contain a hash of all parameters."""
        identity = _short_hash(f"{self.parameters.canonical()} until {self.until}")
        return HistorySpan(f"history/{identity}/", _midnight(self.first_day), _midnight(self.until))

    def batches(self, progress: Progress) -> Iterator[RecordBatch]:
        """Yield batches of a few days each; `progress` receives days. A label not yet known on the last day is NULL.

        A record's id is the world's hash, the day and a number, so the days of one world cannot be loaded twice.
        """
        world = World(self.parameters)
        name = _short_hash(f"seed {self.seed}, {self.subscribers} subscribers, {self.label_delay} days")
        for first in range(0, self.days, DAYS_PER_BATCH):
            days = [self.first_day + n * DAY for n in range(first, min(first + DAYS_PER_BATCH, self.days))]
            frame = pd.concat([_records(world, day, self.until, name) for day in days], ignore_index=True)
            for start in range(0, len(frame), MAX_ROWS):
                batch_id = f"{self.span.prefix}{days[0]:%Y%m%d}/{start}"
                yield RecordBatch(batch_id, ChurnBatchKind.HISTORY, frame.iloc[start : start + MAX_ROWS])
            progress(len(days))


def _records(world: World, day: date, until: date, name: str) -> pd.DataFrame:
    frame = world.records_of_day(day, labels_as_of=until)
    frame[str(Cdr.DATE)] = pd.Timestamp(_midnight(day)).as_unit("us")
    frame[str(Cdr.RECORD_ID)] = f"{name}:{day:%Y%m%d}:" + frame[NUMBER].astype(str)
    return frame.loc[:, list(COLUMNS)]


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:SHORT]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
