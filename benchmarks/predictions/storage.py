"""Predictions as columnar batches, compared with one typed table a model: writing a batch, reading a chunk."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    delete,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from benchmarks.durable import databases
from benchmarks.measuring import Better, RatioTarget, alternate, conclude, machine, share, show, timed, times
from driftline.engine.catalogue import ColumnKind
from driftline.engine.results import EVENT_TIME, ID, PREDICTION, SCORE
from driftline.engine.spec import ColumnSpec, Spec
from driftline.store import bulk, tables
from driftline.store.database import in_transaction
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION, SCORED_AT
from driftline.store.rows.predictions import PredictionStore

NOW = datetime(2026, 7, 1, tzinfo=UTC)
DAY = datetime(2026, 1, 1, tzinfo=UTC)
CATEGORIES = np.array([f"plan {n}" for n in range(12)])
RUNS = 5
WRITTEN, READ = 10_000, 50_000
NUMBERS = count()


@dataclass(frozen=True)
class Width:
    """How many features a model has, and how many of them are text."""

    numbers: int
    texts: int

    @property
    def spec(self) -> Spec:
        """The spec of such a model."""
        texts = (ColumnSpec(name=f"text_{n}", kind=ColumnKind.CATEGORICAL) for n in range(self.texts))
        return Spec(columns=(*(ColumnSpec(name=f"number_{n}") for n in range(self.numbers)), *texts))

    def rows(self, size: int, first: int = 0) -> pd.DataFrame:
        """Return scored rows of one day; their ids are counted from `first`."""
        rng = np.random.default_rng(first)
        score = rng.uniform(size=size)
        outputs = {
            EVENT_TIME: pd.Timestamp(DAY).as_unit("us") + pd.to_timedelta(np.arange(size), unit="s"),
            ID: [f"row {first + n:010}" for n in range(size)],
            MODEL_VERSION: 1,
            SCORED_AT: pd.Timestamp(NOW).as_unit("us"),
            PREDICTION: (score > 0.5).astype(int),
            SCORE: score,
        }
        numbers = {f"number_{n}": rng.gamma(2.0, 100.0, size).round(2) for n in range(self.numbers)}
        texts = {f"text_{n}": rng.choice(CATEGORIES, size) for n in range(self.texts)}
        return pd.DataFrame({**outputs, **numbers, **texts})


def typed_table(spec: Spec) -> Table:
    """Return a table with one column for each feature, as a model of its own would have."""
    kinds: dict[ColumnKind, TypeEngine[Any]] = {
        ColumnKind.CONTINUOUS: tables.real_type(),
        ColumnKind.CATEGORICAL: tables.text_type(255),
    }
    return Table(
        f"typed_{len(spec.columns)}",
        MetaData(),
        Column(EVENT_TIME, tables.INSTANT, nullable=False),
        Column(ID, tables.text_type(128), nullable=False),
        Column(MODEL_VERSION, Integer, nullable=False),
        Column(SCORED_AT, tables.INSTANT, nullable=False),
        Column(PREDICTION, SmallInteger, nullable=False),
        Column(SCORE, tables.real_type(), nullable=False),
        *(Column(column.name, kinds[column.kind]) for column in spec.columns),
        PrimaryKeyConstraint(EVENT_TIME, ID),
        **tables.OPTIONS,
    )


def write_columnar(engine: Engine, store: PredictionStore, width: Width) -> float:
    """Write a new batch through the ledger; return the seconds."""
    number = next(NUMBERS)
    frame = width.rows(WRITTEN, number * WRITTEN)
    return timed(partial(in_transaction, engine, lambda c: store.write(c, f"batch {number}", frame, NOW)))


def write_typed(engine: Engine, table: Table, width: Width) -> float:
    """Load the same rows into the typed table, without a ledger; return the seconds."""
    frame = width.rows(WRITTEN, next(NUMBERS) * WRITTEN)
    names = [column.name for column in table.columns]
    seconds = timed(lambda: in_transaction(engine, partial(_load, table, names, frame)))
    in_transaction(engine, lambda connection: connection.execute(delete(table)))
    return seconds


def _load(table: Table, names: list[str], frame: pd.DataFrame, connection: Connection) -> int:
    return bulk.load(connection, table, names, bulk.encode(frame, names))


def read_columnar(engine: Engine, store: PredictionStore, version: int = 1) -> pd.DataFrame:
    """Read one day of a version."""
    with engine.connect() as connection:
        return store.read(connection, version, DAY, DAY + timedelta(days=1))


def read_typed(engine: Engine, table: Table) -> pd.DataFrame:
    """Read one day of the typed table through the driver."""
    inside = table.c[EVENT_TIME].between(DAY.replace(tzinfo=None), (DAY + timedelta(days=1)).replace(tzinfo=None))
    with engine.connect() as connection:
        rows = connection.execute(select(table).where(inside).order_by(table.c[EVENT_TIME], table.c[ID]))
        return pd.DataFrame(rows.all(), columns=list(rows.keys()))


def compare(engine: Engine, width: Width, model_number: int) -> None:
    """Print both ratios for models of some width."""
    spec = width.spec
    store, table = PredictionStore(model_number, spec), typed_table(spec)
    print(f"\n{len(spec.columns)} features, {width.texts} of them text")
    with engine.connect() as connection:
        table.create(connection)
    written = alternate(
        {
            "columnar, through the ledger": lambda: write_columnar(engine, store, width),
            "typed table, LOAD DATA alone": lambda: write_typed(engine, table, width),
        },
        RUNS,
    )
    show(written, WRITTEN)
    columnar, typed = written.values()
    conclude("writing: share of LOAD DATA into a typed table", share(columnar, typed), RatioTarget(0.7, Better.HIGHER))

    chunk = width.rows(READ, 10**9).assign(**{MODEL_VERSION: 2})
    in_transaction(engine, lambda connection: store.write(connection, f"chunk {model_number}", chunk, NOW))
    names = [column.name for column in table.columns]
    in_transaction(engine, partial(_load, table, names, chunk))
    first, second = read_columnar(engine, store, 2), read_typed(engine, table)
    assert len(first) == len(second) == READ
    for column in spec.columns:
        assert (first[column.name].to_numpy() == second[column.name].to_numpy()).all(), column.name
    read = alternate(
        {
            "columnar, with labels": lambda: timed(partial(read_columnar, engine, store, 2)),
            "typed table": lambda: timed(partial(read_typed, engine, table)),
        },
        RUNS,
    )
    show(read, READ)
    columnar, typed = read.values()
    conclude("reading a chunk: time of the typed table's", times(columnar, typed), RatioTarget(0.1, Better.LOWER))


def main() -> None:
    """Compare models of 25 and of 300 features, and try a table of 100 text features."""
    print(machine())
    with databases() as fresh:
        engine = fresh()
        compare(engine, Width(20, 5), 1001)
        compare(engine, Width(280, 20), 1002)
        try:
            with engine.connect() as connection:
                typed_table(Width(400, 100).spec).create(connection)
        except DBAPIError as error:
            print(f"\n500 features, 100 of them text, in a typed table: {error.orig}")


if __name__ == "__main__":
    main()
