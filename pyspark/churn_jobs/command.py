"""The composition root of the jobs: creates settings, database and Spark, and reports an error as one message."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from py4j.protocol import Py4JError, Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from sqlalchemy.exc import SQLAlchemyError

from churn_jobs import scratch
from churn_jobs.configuration import TrainerName
from churn_jobs.days import RequestedDays
from churn_jobs.progress import say
from churn_jobs.spark.jdbc import Jdbc
from churn_jobs.spark.jdbc_tls import tls_properties
from churn_jobs.spark.job import Job
from churn_jobs.spark.session import connector_jars, spark_session
from churn_jobs.spark.settings import FOLDER, JobSettings
from driftline import logs, spans
from driftline.clock import utc_now
from driftline.errors import DriftlineError
from driftline.lineage import runs
from driftline.lineage.start import lineage_recorded
from driftline.objects import open_store
from driftline.settings import DatabaseSettings, LocalSettings
from driftline.store.database import make_engine, translated
from driftline.traces.start import traced
from driftline.tracking.mlflow_client import connect
from driftline.tracking.settings import TrackingSettings

FirstDay = Annotated[datetime | None, typer.Option("--start-date", formats=["%Y-%m-%d"], help="First day.")]
LastDay = Annotated[datetime | None, typer.Option("--end-date", formats=["%Y-%m-%d"], help="Last day, included.")]
RangeFile = Annotated[Path, typer.Option("--config", help="File of default ranges; it is only read.")]
TrainingFile = Annotated[Path, typer.Option("--training", help="File of training parameters.")]
Trainers = Annotated[
    list[TrainerName] | None,
    typer.Option("--trainer", help="Trainer, once for each to compare; the first is kept unless another is better."),
]
RetrainingFile = Annotated[Path, typer.Option("--config", help="File of the limits and of what a promotion needs.")]
RANGES, TRAINING, RETRAINING = (FOLDER / f"{name}.json" for name in ("config", "training", "retraining"))

FAILED = 2


def requested_days(first: datetime | None, last: datetime | None) -> RequestedDays:
    """Return the range of days that the arguments request."""
    return RequestedDays(first and first.date(), last and last.date())


def start(main: Callable[..., None]) -> None:
    """Run a script's `main` with the process's arguments."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()


def run(name: str, work: Callable[[Job], object], *, is_stream: bool = False) -> None:
    """Run a job; report an expected failure as one message and exit with status 2. A stream reads Kafka and runs on."""
    logs.configure(name, logging.WARNING)
    try:
        with traced(name), lineage_recorded(), translated():
            job = _job(name, is_stream=is_stream)
            try:
                with spans.span(name), runs.run(name):
                    work(job)
            finally:
                shutil.rmtree(job.scratch, ignore_errors=True)
    except (DriftlineError, SQLAlchemyError, PySparkException, Py4JError) as error:
        say(f"Error: {explain(error)}")
        raise SystemExit(FAILED) from error


def _job(name: str, *, is_stream: bool) -> Job:
    """Create the job's resources from the settings; Spark starts only when the job opens it."""
    database, settings = DatabaseSettings(), JobSettings()
    settings = settings.for_long_running() if is_stream else settings
    connector_jars(settings, reads_kafka=is_stream)

    @contextmanager
    def open_spark() -> Iterator[Jdbc]:
        with TemporaryDirectory() as folder:
            tls = tls_properties(database, settings.jdbc_options, Path(folder))
            with spark_session(name, settings, reads_kafka=is_stream) as spark:
                yield Jdbc(spark, database, settings.jdbc_options, tls)

    local = LocalSettings()
    objects, folder = open_store(local.objects_address), scratch.folder_of_run(local.var.absolute(), name)
    tracking = TrackingSettings()
    return Job(make_engine(database), objects, folder, utc_now(), open_spark, lambda: connect(tracking, local))


def explain(error: Exception) -> str:
    """Return the message for an error and, where it is known, what to do."""
    if isinstance(error, Py4JJavaError):
        return f"Spark failed: {with_cure(_root_cause(error))}"
    if isinstance(error, SQLAlchemyError):
        return f"The database refused: {getattr(error, 'orig', None) or error}"
    return str(error)


def with_cure(cause: str) -> str:
    """Add what to do where Spark's message does not say it: its master is unreachable or has stopped."""
    cure = "See its last line above for the reason, and check that SPARK_MASTER is the address of a running master."
    return f"{cause} {cure}" if "stopped SparkContext" in cause else cause


def _root_cause(error: Py4JJavaError) -> str:
    """Return the first line of the error's root cause."""
    cause = error.java_exception
    while cause.getCause() is not None:
        cause = cause.getCause()
    return str(cause.toString()).splitlines()[0]
