"""Raw records for the jobs' tests: irregular records, and a simulated world that a model can learn from."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, Table, select

from churn.columns import CDR_USAGE, Cdr
from churn.tables import cdr
from driftline.store import bulk
from driftline.store.database import in_transaction
from flaskapp.world import Parameters, World

COLUMNS = (Cdr.DATE, Cdr.MSISDN, Cdr.RECORD_ID, *CDR_USAGE, Cdr.PSEUDO_CHURNED)


def odd_records(first: date, days: int, users: int, seed: int = 1) -> pd.DataFrame:
    """Return records with gaps, several records a day, missing values and unknown labels.

    The first user has a record every day, and never a known count of outgoing calls.
    """
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(days):
        for user in range(users):
            day, parts = first + timedelta(days=number), draw.integers(user == 0, 4)
            rows += [_record(draw, day, user, part) for part in range(parts)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame.loc[frame[Cdr.MSISDN] == "99900", Cdr.MOC_COUNT] = None
    return frame.astype(dict.fromkeys((*CDR_USAGE, Cdr.PSEUDO_CHURNED), "Int64"))


def _record(draw: np.random.Generator, day: date, user: int, part: int) -> list[object]:
    stamp = pd.Timestamp(day, tz="UTC") + pd.Timedelta(hours=8 * part, microseconds=86_399_999_999 * (part == 3))
    usage = [None if draw.random() < 0.3 else int(value) for value in draw.integers(0, 10**9, len(CDR_USAGE))]
    label = None if draw.random() < 0.3 else int(draw.integers(0, 2))
    return [min(stamp, pd.Timestamp(day, tz="UTC") + pd.Timedelta("23:59:59.999999")), f"9990{user}",
            f"odd:{day}:{user}:{part}", *usage, label]  # fmt: skip


def world_records(first: date, days: int, subscribers: int, known_until: date) -> pd.DataFrame:
    """Return a simulated history, with the labels known by the end of a day."""
    world = World(Parameters(seed=3, start_date=first, subscribers=subscribers))
    frames = [world.records_of_day(first + timedelta(days=n), known_until) for n in range(days)]
    frame = pd.concat(frames, ignore_index=True)
    frame[Cdr.RECORD_ID] = [f"world:{place}" for place in range(len(frame))]
    return frame


def insert(engine: Engine, frame: pd.DataFrame) -> None:
    """Insert records into the database."""
    payload = bulk.encode(frame, COLUMNS)
    in_transaction(engine, lambda connection: bulk.load(connection, cdr, COLUMNS, payload, {"batch_number": 0}))


def content(engine: Engine, table: Table, leave_out: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return all rows of a table, ordered by its key."""

    def read(connection: Connection) -> pd.DataFrame:
        columns = [column for column in table.c if column.name not in leave_out]
        rows = connection.execute(select(*columns).order_by(*table.primary_key.columns))
        return pd.DataFrame(rows.all(), columns=list(rows.keys()))

    return in_transaction(engine, read)
