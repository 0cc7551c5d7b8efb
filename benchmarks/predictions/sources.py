"""Predictions read from a table of MySQL, and from a file in a watched folder: rows a second."""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event

import pandas as pd
from pydantic import SecretStr
from sqlalchemy import Engine, delete

from benchmarks.durable import databases
from benchmarks.measuring import machine
from benchmarks.predictions.ingest import NAME, WIDTH, register
from benchmarks.predictions.storage import NOW, typed_table
from driftline.ingest.files.file_ingestion import FileIngestion
from driftline.ingest.files.watched_folder import WatchedFolder
from driftline.ingest.ingestion import Ingestion
from driftline.objects import open_store
from driftline.store import bulk
from driftline.store.database import in_transaction
from driftline.store.ledger import BatchKind
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION, SCORED_AT
from monitoring.ingest.sql_config import SqlSourceConfig
from monitoring.ingest.sql_source import SqlSource

ROWS, RUNS = 100_000, 3
NUMBERS = count(1)
TABLE = typed_table(WIDTH.spec)
READ_AT_ONCE = (5_000, 50_000)
"""The default of `batch_rows`, and the most."""


def rows() -> pd.DataFrame:
    """Return rows that no other call returns."""
    return WIDTH.rows(ROWS, next(NUMBERS) * ROWS)


def table_reader(engine: Engine, ingestion: Ingestion, batch_rows: int) -> Callable[[], int]:
    """Fill a user's table, and return what reads it from its first row on and tells how many rows it stored."""
    names = [column.name for column in TABLE.columns]
    payload = bulk.encode(rows(), names)
    in_transaction(engine, lambda connection: connection.execute(delete(TABLE)))
    in_transaction(engine, lambda connection: bulk.load(connection, TABLE, names, payload))
    config = SqlSourceConfig(
        name=f"run-{next(NUMBERS)}", model=NAME, table=TABLE.name, key=("id",), time="event_time", batch_rows=batch_rows
    )
    address = engine.url.set(drivername="mysql").render_as_string(hide_password=False)
    source = SqlSource(config, SecretStr(address), ingestion)
    return lambda: source.read(Event()).rows


def folder_reader(folder: Path, ingestion: Ingestion, suffix: str) -> Callable[[], int]:
    """Write a file into a folder that is watched, and return what reads it and tells how many rows it stored."""
    frame, file = rows().drop(columns=[MODEL_VERSION, SCORED_AT]), folder / f"{next(NUMBERS)}{suffix}"
    frame.to_parquet(file, index=False) if suffix == ".parquet" else frame.to_csv(file, index=False)
    watched = WatchedFolder(open_store(folder), FileIngestion(ingestion, NAME, BatchKind.PREDICTIONS), Event())
    watched.scan()
    return lambda: ROWS * watched.scan().stored


def measure(name: str, prepare: Callable[[], Callable[[], int]]) -> None:
    """Print the rows a second of the fastest run, by the clock and by the processor time of this process."""
    seconds, processor_seconds = [], []
    for _ in range(RUNS):
        work = prepare()
        began, spent = time.perf_counter(), time.process_time()
        stored = work()
        seconds.append(time.perf_counter() - began)
        processor_seconds.append(time.process_time() - spent)
        assert stored == ROWS, stored
    print(
        f"  {name:<40} {ROWS / min(seconds):9,.0f} rows/s; {ROWS / min(processor_seconds):9,.0f} by processor time",
        flush=True,
    )


def main() -> None:
    """Measure tables and files."""
    print(f"Rows of tables and files, 25 features ({machine()})")
    with databases() as fresh, tempfile.TemporaryDirectory(prefix="driftline-bench-") as name:
        engine, folder = fresh(), Path(name)
        inbox = folder / "inbox"
        inbox.mkdir()
        register(engine, folder)
        ingestion = Ingestion(engine, lambda: NOW)
        with engine.begin() as connection:
            TABLE.create(connection)
        for batch_rows in READ_AT_ONCE:
            measure(f"a table, {batch_rows:,} rows at once", partial(table_reader, engine, ingestion, batch_rows))
        for suffix in (".parquet", ".csv"):
            measure(f"a file {suffix} in a folder", partial(folder_reader, inbox, ingestion, suffix))
        engine.dispose()


if __name__ == "__main__":
    main()
