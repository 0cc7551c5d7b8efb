"""A migrated database and certificates, and which tests need MySQL.

The longest files come first, so that no process ends long after the other.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

import churn.migrate
from churn.truth import truth_schema, with_truth
from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from stack.services.certificates import Certificates, make_certificates
from stack.testing.fixtures import DatabaseAddress, fresh_schema
from stack.testing.temporary_servers import TemporaryDatabase
from tests.integration.schemas import Schemas

os.environ.setdefault("MONITOR_RUN_WAIT_SECONDS", "600")  # a busy machine: no request to poll is answered with a link

FOLDER = Path(__file__).parent
LONGEST = (
    "churn_jobs/",
    "engine/",
    "examples/",
    "backtesting/execution/test_workers.py",
    "monitoring/poll/test_poller.py",
    "monitoring/poll/test_concurrent_polls.py",
    "monitoring/test_laws.py",
    "flaskapp/relay/test_relay.py",
    "backtesting/test_command.py",
    "stack/services/test_lifecycle.py",
    "flaskapp/test_outages.py",
    "flaskapp/test_kafka_tls.py",
)
"""Each takes a minute or two; the rest seconds."""


def upgrade_example(engine: Engine) -> None:
    """Create the truth schema, and all tables of the example."""
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {truth_schema(str(engine.url.database))}")
    churn.migrate.upgrade(engine)


MIGRATED = {"churn_engine": upgrade_example, "job_on": upgrade_example, "engine": migrate.upgrade}
"""Fixtures that work on a migrated schema, and how it is migrated; the first that a test uses decides."""


MYSQL = {"mysql", "mysql_session"}
"""The fixtures of a schema on MySQL and of its server: what a test uses, or the value of one of its parameters."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first: `--no-loadscope-reorder` hands the files out in this order.

    Mark what runs on MySQL, before pytest selects by mark.
    """
    items.sort(key=_turn)
    for item in items:
        if _needs_mysql(item):
            item.add_marker("mysql")


def _needs_mysql(item: pytest.Item) -> bool:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    names = [value for value in parameters if isinstance(value, str)]
    return not MYSQL.isdisjoint([*getattr(item, "fixturenames", ()), *names])


def _turn(item: pytest.Item) -> int:
    if not item.path.is_relative_to(FOLDER):
        return len(LONGEST)
    name = item.path.relative_to(FOLDER).as_posix()
    return next((turn for turn, start in enumerate(LONGEST) if name.startswith(start)), len(LONGEST))


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A CA and what it signed for a server at 127.0.0.1, under no other name."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), datetime.now(UTC), ("127.0.0.1",))


@pytest.fixture(scope="session")
def mariadb_schemas(mariadb_session: TemporaryDatabase) -> Iterator[Schemas]:
    """The migrated schemas on MariaDB."""
    yield from _dropped(Schemas(mariadb_session))


@pytest.fixture(scope="session")
def mysql_schemas(mysql_session: TemporaryDatabase) -> Iterator[Schemas]:
    """The migrated schemas on MySQL."""
    yield from _dropped(Schemas(mysql_session))


def _dropped(schemas: Schemas) -> Iterator[Schemas]:
    yield schemas
    schemas.drop()


@pytest.fixture
def mariadb(mariadb_schemas: Schemas, request: pytest.FixtureRequest) -> Iterator[DatabaseAddress]:
    """A schema on MariaDB: migrated if the test uses a fixture of `MIGRATED`, otherwise empty."""
    with _schema(mariadb_schemas, request) as address:
        yield address


@pytest.fixture
def mysql(mysql_schemas: Schemas, request: pytest.FixtureRequest) -> Iterator[DatabaseAddress]:
    """A schema on MySQL: migrated if the test uses a fixture of `MIGRATED`, otherwise empty."""
    with _schema(mysql_schemas, request) as address:
        yield address


def _schema(schemas: Schemas, request: pytest.FixtureRequest) -> AbstractContextManager[DatabaseAddress]:
    upgrade = next((MIGRATED[name] for name in MIGRATED if name in request.fixturenames), None)
    return schemas.migrated(upgrade) if upgrade else fresh_schema(schemas.server)


@pytest.fixture
def engine(database_settings: DatabaseSettings) -> Iterator[Engine]:
    """An engine on a schema with the tables for monitoring alone, once on MariaDB and once on MySQL."""
    with _engine(database_settings) as migrated:
        yield migrated


@pytest.fixture
def churn_engine(database_settings: DatabaseSettings) -> Iterator[Engine]:
    """An engine on a schema with the example's tables too, once on MariaDB and once on MySQL."""
    with _engine(database_settings) as migrated:
        yield with_truth(migrated)


@contextmanager
def _engine(settings: DatabaseSettings) -> Iterator[Engine]:
    engine = make_engine(settings)
    yield engine
    engine.dispose()
