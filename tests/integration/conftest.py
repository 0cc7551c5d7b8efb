"""A migrated database for the integration tests; the longest files come first, so that no process ends long after."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from driftline import migrate
from driftline.database import make_engine
from driftline.settings import DatabaseSettings

FOLDER = Path(__file__).parent
LONGEST = (
    "churn_jobs/",
    "engine/",
    "monitoring/test_poller.py",
    "monitoring/test_laws.py",
    "flaskapp/test_relay.py",
    "stack/test_lifecycle.py",
    "flaskapp/test_outages.py",
)
"""Each takes a minute or two; the rest seconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first: `--no-loadscope-reorder` hands the files out in this order."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if not item.path.is_relative_to(FOLDER):
        return len(LONGEST)
    name = item.path.relative_to(FOLDER).as_posix()
    return next((turn for turn, start in enumerate(LONGEST) if name.startswith(start)), len(LONGEST))


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
