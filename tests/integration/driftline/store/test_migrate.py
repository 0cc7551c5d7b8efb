"""The migrations make the schema that the tables describe."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, select, text

from driftline.errors import NotMigrated
from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from driftline.store.tables import cdr, daily_summary, metadata, models


def test_migrated_schema_is_what_the_tables_say(engine: Engine) -> None:
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_upgrade_twice_changes_nothing(engine: Engine) -> None:
    migrate.upgrade(engine)
    migrate.require_current(engine)
    with engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(select(models.c.number, models.c.name))] == [(1, "churn")]


def test_an_empty_schema_is_refused_with_the_cure(database_settings: DatabaseSettings) -> None:
    with pytest.raises(NotMigrated, match="driftline db upgrade"):
        migrate.require_current(make_engine(database_settings))


def test_truth_lives_in_its_own_schema(engine: Engine, database_settings: DatabaseSettings) -> None:
    names = inspect(engine).get_table_names(schema=database_settings.truth_name)
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
            shown = connection.execute(text("CALL GetDailyCDRDataBatch('2026-01-01')")).all()
            connection.commit()
        assert [tuple(map(int, row[1:])) for row in shown] == [(4, 0, 2, 10_000_000_000)] * 2
    with engine.connect() as connection:
        assert len(connection.execute(select(daily_summary)).all()) == 2
