"""A migrated database for the integration tests."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from driftline import migrate
from driftline.database import make_engine
from driftline.settings import DatabaseSettings


@pytest.fixture
def engine(database_settings: DatabaseSettings) -> Iterator[Engine]:
    """An engine on a fresh, migrated schema; the test runs once on MariaDB and once on MySQL."""
    made = make_engine(database_settings)
    with made.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {database_settings.truth_name}")
    migrate.upgrade(made)
    yield made
    with made.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {database_settings.truth_name}")
    made.dispose()
