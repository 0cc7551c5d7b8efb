"""The simulator writing to MySQL, relative to a plain LOAD DATA of the same rows in the same transactions."""

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, Table, func, select

from benchmarks.durable import databases
from benchmarks.measuring import Better, RatioTarget, alternate, conclude, machine, share, show, timed
from benchmarks.records.plan import NOW, plan_of
from churn import tables as tables_of_churn
from churn.columns import Cdr
from churn.ledger import RELAY
from churn.tables import cdr
from driftline.store import bulk, tables
from driftline.store.database import in_transaction
from flaskapp.records import COLUMNS, RecordBatch, write_records
from flaskapp.stream import runs as stream_runs
from flaskapp.stream.plan import StreamPlan
from flaskapp.stream.source import StreamSource
from flaskapp.stream.writer import write_next

STREAMS = ((1_000, 30), (10_000, 20))
"""Subscribers and days: the default size of a batch, and a larger one."""
RUNS, RUNS_OF_ALL = 7, 3
AIM = RatioTarget(0.7, Better.HIGHER)
BARE = "bare_cdr"
WRITTEN = (
    cdr.name,
    tables.ledger.name,
    tables.pending_batches.name,
    tables.labels.name,
    tables_of_churn.stream_runs.name,
    BARE,
)


class Streams:
    """One stream of records on one database: written through the ledger in three variants, or loaded directly."""

    def __init__(self, engine: Engine, plan: StreamPlan, folder: Path) -> None:
        self.engine, self.plan = engine, plan
        self.source = StreamSource(plan)  # the service also keeps the world of the running stream
        self.batches = [self.source.records(number, NOW) for number in self._numbers()]
        self.rows = sum(len(batch.frame) for batch in self.batches)
        self.files = [self._file(folder, number, batch) for number, batch in enumerate(self.batches)]
        self.bare = Table(BARE, MetaData(), *(column._copy() for column in cdr.columns))
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE TABLE {BARE} LIKE {cdr.name}")  # our own names

    def _numbers(self) -> range:
        return range(1, self.plan.num_batches + 1)

    def _file(self, folder: Path, number: int, batch: RecordBatch) -> Path:
        path = folder / f"{number}.csv"
        path.write_bytes(bulk.encode(batch.frame, COLUMNS))
        return path

    def with_generation(self) -> None:
        """Create each batch and write it through the ledger."""
        self._write(self.source.records(number, NOW) for number in self._numbers())

    def without_generation(self) -> None:
        """Write prepared batches through the ledger."""
        self._write(self.batches)

    def _write(self, batches: Iterable[RecordBatch]) -> None:
        for batch in batches:
            in_transaction(self.engine, partial(write_records, batch=batch, now=NOW, consumers=[RELAY]))

    def whole_steps(self) -> None:
        """Write as the service does: the row of the stream, the records, the labels that became known."""
        for _ in self._numbers():
            write_next(self.engine, self.plan.run_id, lambda _: self.source, NOW)

    def bare_load(self) -> None:
        """Load the files into the server, one transaction each."""
        for number, path in enumerate(self.files):
            statement = bulk.LoadData(path, self.bare, COLUMNS, {Cdr.BATCH_NUMBER: number})
            in_transaction(self.engine, partial(Connection.execute, statement=statement))

    def timed_variant(self, work: Callable[[], None], table: Table) -> Callable[[], float]:
        """Time `work` on empty tables, and verify that every row was written."""

        def run() -> float:
            self._empty()
            seconds = timed(work)
            with self.engine.connect() as connection:
                assert connection.execute(select(func.count()).select_from(table)).scalar_one() == self.rows
            return seconds

        return run

    def _empty(self) -> None:
        with self.engine.connect() as connection:
            for name in WRITTEN:
                connection.exec_driver_sql(f"TRUNCATE TABLE {name}")  # our own names
        in_transaction(self.engine, self._begin)

    def _begin(self, connection: Connection) -> None:
        stream_runs.begin(connection, self.plan, NOW)


def compare(streams: Streams) -> None:
    """Print the shares for one size of batch."""
    size = f"{streams.plan.num_batches} batches of about {streams.rows // streams.plan.num_batches:,}"
    print(f"  {size} records:")
    bare, through_ledger = "bare LOAD DATA", "through the ledger"
    generated, with_labels = "world and ledger", "world, ledger, labels, progress"
    seconds = alternate(
        {
            bare: streams.timed_variant(streams.bare_load, streams.bare),
            through_ledger: streams.timed_variant(streams.without_generation, cdr),
            generated: streams.timed_variant(streams.with_generation, cdr),
        },
        RUNS,
    )
    steps = {
        bare: streams.timed_variant(streams.bare_load, streams.bare),
        with_labels: streams.timed_variant(streams.whole_steps, cdr),
    }
    all_steps = alternate(steps, RUNS_OF_ALL)
    show({**seconds, with_labels: all_steps[with_labels]}, streams.rows)
    for name in (through_ledger, generated):
        conclude(f"{name}, as a share of the bare LOAD DATA", share(seconds[name], seconds[bare]), AIM)
    conclude(f"{with_labels}, as a share of the bare LOAD DATA", share(all_steps[with_labels], all_steps[bare]))


def main() -> None:
    """Print all shares."""
    print(f"The simulator into MySQL ({machine()})")
    with tempfile.TemporaryDirectory(prefix="driftline-bench-") as folder, databases() as fresh:
        for subscribers, days in STREAMS:
            place = Path(folder) / str(subscribers)
            place.mkdir()
            compare(Streams(fresh(), plan_of(subscribers, days), place))


if __name__ == "__main__":
    main()
