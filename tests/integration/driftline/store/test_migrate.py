"""The migrations make the schema that the tables describe, and nothing of any program that uses the library."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, select

from driftline.errors import NotMigrated
from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from driftline.store.tables import metadata, models


def test_migrated_schema_is_what_the_tables_say(engine: Engine) -> None:
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_upgrade_twice_changes_nothing(engine: Engine) -> None:
    migrate.upgrade(engine)
    migrate.require_current(engine)
    with engine.connect() as connection:
        assert connection.execute(select(models)).all() == []


def test_a_database_for_monitoring_has_no_other_table(engine: Engine, database_settings: DatabaseSettings) -> None:
    inspector = inspect(engine)
    assert {*inspector.get_table_names()} == {*metadata.tables, "alembic_version"}
    assert inspector.get_view_names() == []
    assert f"{database_settings.name}_truth" not in inspector.get_schema_names()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW PROCEDURE STATUS WHERE Db = DATABASE()").all() == []


def test_an_empty_schema_is_refused_with_the_cure(database_settings: DatabaseSettings) -> None:
    with pytest.raises(NotMigrated, match="driftline db upgrade"):
        migrate.require_current(make_engine(database_settings))
