"""The recipe for a migration, followed in a copy that upgrades a new database and one of this version."""

from pathlib import Path

import pytest

from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.database import make_engine
from stack.testing.fixtures import DatabaseAddress
from tests.unit.recipes.migration_steps import add_table
from tests.unit.recipes.tree_copy import TreeCopy

UPGRADE = ("-m", "driftline", "db", "upgrade")
SCRIPT = """
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from driftline.store.migrate import current_engine
from driftline.store.tables import metadata, model_notes

with current_engine().connect() as connection:
    assert connection.execute(model_notes.select()).all() == []
    print(compare_metadata(MigrationContext.configure(connection), metadata))
"""


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "old"])
def test_the_database_is_what_the_tables_say(
    mariadb: DatabaseAddress, is_new: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_new:
        _upgrade(DatabaseSettings.model_validate(mariadb.settings()))
    tree = TreeCopy(tmp_path, ("src/driftline",))
    add_table(tree)
    for name, value in mariadb.environment().items():
        monkeypatch.setenv(name, value)
    assert "driftline db upgrade" in tree.refused("-c", SCRIPT)
    for _ in range(2):
        tree.run(*UPGRADE)
    assert tree.run("-c", SCRIPT) == "[]\n"


def _upgrade(settings: DatabaseSettings) -> None:
    engine = make_engine(settings)
    migrate.upgrade(engine)
    engine.dispose()
