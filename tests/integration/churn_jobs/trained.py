"""A prepared history and a model trained on it, in a schema of its own."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pyspark.sql import SparkSession

from churn.ledger import ChurnBatchKind
from churn_jobs.configuration import TrainingConfig
from churn_jobs.days import DayRange, RequestedDays, midnight
from churn_jobs.prepared.preparing import prepare
from churn_jobs.spark.jdbc import Jdbc
from churn_jobs.spark.job import Job
from churn_jobs.training import train
from driftline.lineage import runs
from driftline.lineage.runs import RunEvent
from driftline.objects import open_store
from driftline.settings import DatabaseSettings, LocalSettings
from driftline.store.database import in_transaction, make_engine
from driftline.store.ledger import Batch, open_batch
from driftline.store.versions import registry
from driftline.tracking.mlflow_client import connect
from driftline.tracking.settings import TrackingSettings
from stack.testing.temporary_servers import TemporaryDatabase
from tests.integration.churn_jobs.conftest import NOW, migrated
from tests.integration.churn_jobs.raw_records import insert, world_records
from tests.unit.driftline.lineage.recorders import kept_events

FIRST = date(2026, 1, 1)
HISTORY = DayRange(FIRST, FIRST + timedelta(days=50))


@dataclass(frozen=True)
class Loop:
    """A job whose database holds a history and later days, and the version that was trained on the history.

    `events` are those of lineage of the runs that prepared the days and trained the version.
    """

    job: Job
    version: registry.Version
    events: list[RunEvent]


@contextmanager
def trained_loop(
    server: TemporaryDatabase,
    spark: SparkSession,
    folder: Path,
    *,
    name: str,
    days: int,
    subscribers: int,
    config: TrainingConfig,
) -> Iterator[Loop]:
    """Insert a history and `days` later days into a new schema, prepare the first, and train on the history."""
    with server.administrator() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    address = {"host": "127.0.0.1", "port": server.port, "user": "root", "password": server.password, "name": name}
    settings = DatabaseSettings.model_validate(address)
    engine = migrated(make_engine(settings))
    local = LocalSettings(var=folder / "var")
    job = Job(
        engine,
        open_store(folder / "objects"),
        folder / "unfinished" / "a-1",
        NOW,
        lambda: nullcontext(Jdbc(spark, settings)),
        lambda: connect(TrackingSettings(tracking_uri=""), local),
    )
    insert(engine, world_records(FIRST, len(HISTORY) + days, subscribers, HISTORY.last + timedelta(days=days)))
    in_transaction(engine, lambda connection: open_batch(connection, batch_of("history/test/1", HISTORY)))
    with kept_events() as events:
        with runs.run("prepare_data"):
            prepare(job, RequestedDays(HISTORY.first, None if days else HISTORY.last))
        with runs.run("train_model"):
            assert train(job, RequestedDays(HISTORY.first, HISTORY.last), config).new
    yield Loop(job, registry.load(engine, "churn"), events)
    engine.dispose()


def batch_of(batch_id: str, days: DayRange) -> Batch:
    """Return a batch of records of some days, as the ledger has it."""
    return Batch(batch_id, ChurnBatchKind.RECORDS, "0" * 64, 1, NOW, None, days.start, midnight(days.last))
