"""A schema of repeated statements equals one that Alembic migrated."""

from types import ModuleType

import pytest
from sqlalchemy import Engine, inspect, text

import churn.migrate
from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from stack.testing.fixtures import DatabaseAddress
from tests.integration import schemas

ROUTINES = text("SELECT routine_name, routine_definition FROM information_schema.routines WHERE routine_schema = :name")


def described(engine: Engine) -> dict[str, str]:
    """Return how each table and procedure is defined, whatever the schema's name."""
    name = str(engine.url.database)
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        statements = {table: connection.exec_driver_sql(f"SHOW CREATE TABLE `{table}`").one()[1] for table in tables}
        routines = {row[0]: row[1] for row in connection.execute(ROUTINES, {"name": name})}
    return {subject: definition.replace(name, "") for subject, definition in (statements | routines).items()}


@pytest.mark.parametrize("package", [migrate, churn.migrate])
def test_a_repeated_migration_gives_the_same_schema(
    database: DatabaseAddress, package: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas, "_recordings", {})
    definitions = []
    for name in (database.name, f"{database.name}_again"):
        engine = make_engine(DatabaseSettings.model_validate(database.settings()))
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE IF NOT EXISTS {name}")
            connection.exec_driver_sql(f"CREATE DATABASE {name}_truth")
        engine.dispose()
        engine = make_engine(DatabaseSettings.model_validate(database.settings() | {"name": name}))
        schemas.migrate_schema(engine, package.upgrade)
        package.require_current(engine)
        definitions.append(described(engine))
        with engine.connect() as connection:
            for schema in {name, f"{name}_truth"} - {database.name}:
                connection.exec_driver_sql(f"DROP DATABASE {schema}")
        engine.dispose()
    assert len(definitions[0]) > 10
    assert definitions[0] == definitions[1]
