"""One Spark session for all tests of the jobs, and jobs that use it on a fresh database."""

import gc
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from sqlalchemy import Engine

from churn import migrate
from churn_jobs.spark.jdbc import Jdbc
from churn_jobs.spark.job import Job
from churn_jobs.spark.session import spark_session
from churn_jobs.spark.settings import JobSettings
from driftline.objects import open_store
from driftline.settings import DatabaseSettings
from driftline.store.database import make_engine
from stack.testing.fixtures import DatabaseAddress

FOLDER = Path(__file__).parent
UNCLOSED = "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
"""pyspark leaves the sockets that fetch rows to the garbage collector."""
SMALL = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
"""On a few rows, writing and compiling Java for each query takes longer than the query; the end-to-end tests do it."""
NOW = datetime(2026, 3, 20, 12, 30, 15, 123456, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ignore the warnings about pyspark's unclosed sockets in the tests of this folder."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.filterwarnings(UNCLOSED))


@pytest.fixture(autouse=True)
def _collect_sockets() -> Iterator[None]:
    """Collect a test's sockets before the next test, which may be in another folder."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The Spark session of all these tests."""
    settings = JobSettings(master="local[2]", driver_memory="1g", shuffle_partitions=1)
    with spark_session("tests", settings, reads_kafka=True) as session:
        for name, value in SMALL.items():
            session.conf.set(name, value)
        yield session


@pytest.fixture
def job_on(spark: SparkSession, tmp_path: Path) -> Iterator[Callable[[DatabaseAddress], Job]]:
    """Create a job on this test's schema, which is migrated."""
    engines = []

    def make(address: DatabaseAddress) -> Job:
        settings = DatabaseSettings.model_validate(address.settings())
        engines.append(make_engine(settings))
        objects, scratch = open_store(tmp_path / "objects"), tmp_path / "unfinished" / "a-1"
        return Job(engines[-1], objects, scratch, NOW, lambda: nullcontext(Jdbc(spark, settings)))

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def job(mariadb: DatabaseAddress, job_on: Callable[[DatabaseAddress], Job]) -> Job:
    """A job on a fresh schema of MariaDB."""
    return job_on(mariadb)


def migrated(engine: Engine) -> Engine:
    """Migrate a schema and its truth schema to the current version."""
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE IF NOT EXISTS {engine.url.database}_truth")
    migrate.upgrade(engine)
    return engine
