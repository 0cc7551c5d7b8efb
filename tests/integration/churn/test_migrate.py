"""The example's migrations make the schema that its tables describe, beside the library's."""

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, Table, inspect, select, text

from churn import migrate, tables
from churn.columns import CHURN_MODEL
from churn.tables import cdr, daily_summary
from churn.truth import truth_schema
from driftline.errors import NotMigrated
from driftline.settings import DatabaseSettings
from driftline.store import migrate as library
from driftline.store.database import make_engine
from driftline.store.tables import metadata, models
from stack.testing.fixtures import DatabaseAddress

VERSION_TABLES = {"alembic_version", "alembic_version_churn"}


def test_migrated_schema_is_what_the_tables_say(engine: Engine) -> None:
    options = {"include_name": lambda name, kind, _: kind != "table" or name not in VERSION_TABLES}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, _joined(metadata, tables.metadata))
    assert differences == []


def _joined(*parts: MetaData) -> MetaData:
    joined = MetaData()
    for table in (table for part in parts for table in part.tables.values()):
        table.to_metadata(joined)
    return joined


def test_upgrade_twice_changes_nothing(engine: Engine) -> None:
    first = content(engine)
    migrate.upgrade(engine)
    migrate.require_current(engine)
    assert content(engine) == first
    assert first["models"] == [(1, CHURN_MODEL)]


def content(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Return the definition of every table, the revisions and the models."""
    with engine.connect() as connection:
        names = sorted(inspect(connection).get_table_names())
        contents = {name: connection.exec_driver_sql(f"SHOW CREATE TABLE {name}").all() for name in names}
        for name in VERSION_TABLES:
            versions = Table(name, MetaData(), autoload_with=connection)
            contents[f"rows of {name}"] = connection.execute(select(versions)).all()
        contents["models"] = connection.execute(select(models.c.number, models.c.name)).all()
    return {name: [tuple(row) for row in rows] for name, rows in contents.items()}


def test_an_empty_schema_is_refused_with_the_cure(database_settings: DatabaseSettings) -> None:
    with pytest.raises(NotMigrated, match="run `python -m churn upgrade`"):
        migrate.require_current(make_engine(database_settings))


def test_a_schema_for_monitoring_alone_is_refused(database_settings: DatabaseSettings) -> None:
    engine = make_engine(database_settings)
    library.upgrade(engine)
    library.require_current(engine)
    with pytest.raises(NotMigrated, match="at version none, and this program needs churn_0002"):
        migrate.require_current(engine)
    engine.dispose()


def test_the_command_upgrades_both(mariadb: DatabaseAddress) -> None:
    settings = DatabaseSettings.model_validate(mariadb.settings())
    engine = make_engine(settings)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {truth_schema(settings.name)}")
    for _ in range(2):
        completed = run(mariadb)
        assert (completed.returncode, completed.stdout) == (0, "The tables are current.\n"), completed.stderr
    migrate.require_current(engine)
    engine.dispose()


def test_the_command_names_what_is_wrong(mariadb: DatabaseAddress) -> None:
    completed = run(DatabaseAddress("127.0.0.1", 1, "nobody", "x", mariadb.name))
    assert completed.returncode == 2
    assert "check DB_HOST and DB_PORT" in completed.stderr
    assert "Traceback" not in completed.stderr


def run(address: DatabaseAddress) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "churn", "upgrade"]
    return subprocess.run(command, env=address.environment(), capture_output=True, text=True, check=False, timeout=120)


def test_truth_lives_in_its_own_schema(engine: Engine, database_settings: DatabaseSettings) -> None:
    names = inspect(engine).get_table_names(schema=truth_schema(database_settings.name))
    assert names == ["injected_drift"]
    assert "injected_drift" not in inspect(engine).get_table_names()


def test_daily_summary_is_right_beyond_32_bits_and_repeatable(engine: Engine) -> None:
    usage = {"DP_MOC_COUNT": 2, "DP_MOC_DURATION": None, "DP_DATA_COUNT": 1, "DP_DATA_VOLUME": 5_000_000_000}
    rows = [
        {
            "DP_DATE": f"2026-01-0{day} 0{hour}:00:00",
            "DP_MSISDN": "88",
            "record_id": f"{hour}",
            "batch_number": 1,
            **usage,
        }
        for day in (1, 2)
        for hour in (0, 9)
    ]
    with engine.begin() as connection:
        connection.execute(cdr.insert(), rows)
    for _ in range(2):
        with engine.connect() as connection:
            totals = connection.execute(text("CALL GetDailyCDRDataBatch('2026-01-01')")).all()
            connection.commit()
        assert [tuple(map(int, row[1:])) for row in totals] == [(4, 0, 2, 10_000_000_000)] * 2
    with engine.connect() as connection:
        assert len(connection.execute(select(daily_summary)).all()) == 2
